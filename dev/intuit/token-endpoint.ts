import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Context } from 'hono'
import { authenticateApp } from './client-authentication.ts'
import { redeemCode } from './codes.ts'
import type { IdTokenIssuer } from './id-token.ts'
import type { IntuitApp, IssuedTokens, Issuer } from './issuer.ts'
import { refreshTokens } from './refresh.ts'

/** One use of a code or refresh token. */
export interface TokenUse {
  grantType: string
  /** SHA-256 of the code or token, in hexadecimal. */
  tokenHash: string
  outcome: 'same' | 'rotated' | 'invalid_grant'
  realmId: string | undefined
}

interface TokenEndpointDeps {
  apps: IntuitApp[]
  issuer: Issuer
  idTokens: IdTokenIssuer
  onUse(use: TokenUse): void
}

type Form = Record<string, string>

const DESCRIPTIONS = {
  none: {},
  current: { error_description: 'Incorrect or invalid refresh token' },
  old: { error_description: 'Token invalid' },
}

const toBody = (tokens: IssuedTokens, asStrings: boolean, withHardExpiry: boolean) => {
  const number = (value: number) => (asStrings ? String(value) : value)
  return {
    token_type: 'bearer',
    expires_in: number(tokens.accessSeconds),
    refresh_token: tokens.refreshToken,
    x_refresh_token_expires_in: number(tokens.refreshSeconds),
    access_token: tokens.accessToken,
    ...(withHardExpiry ? { x_refresh_token_hard_expires_in: number(tokens.hardSeconds) } : {}),
  }
}

const useToken = ({ issuer, onUse }: TokenEndpointDeps, app: IntuitApp, form: Form): IssuedTokens | undefined => {
  const isCode = form['grant_type'] === 'authorization_code'
  const used = (isCode ? form['code'] : form['refresh_token']) ?? ''
  const tokens = isCode
    ? redeemCode(issuer, app, used, form['redirect_uri'] ?? '', form['code_verifier'])
    : refreshTokens(issuer, app, used)
  onUse({
    grantType: form['grant_type'] ?? '',
    tokenHash: createHash('sha256').update(used).digest('hex'),
    outcome: tokens ? (tokens.rotated ? 'rotated' : 'same') : 'invalid_grant',
    realmId: tokens?.realmId,
  })
  return tokens
}

/** The member `id_token` of a consent that asked for `openid`. */
const toIdTokenBody = async (
  { issuer, idTokens }: TokenEndpointDeps,
  { clientId }: IntuitApp,
  tokens: IssuedTokens,
) => {
  const { realmId, openIdNonce } = tokens
  if (openIdNonce === undefined) return {}
  const request = { clientId, realmId, nonce: openIdNonce || undefined, now: issuer.now() }
  return { id_token: await idTokens.issue(request, issuer.knobs().idToken) }
}

/** Creates the token endpoint: it exchanges codes and refreshes tokens, as Intuit's does. */
export const createTokenEndpoint = (deps: TokenEndpointDeps) => {
  const { knobs, inFlight } = deps.issuer

  return async (c: Context): Promise<Response> => {
    const app = authenticateApp(c, deps.apps)
    if (!app) return c.json({ error: 'invalid_client' }, 401)
    const form = Object.fromEntries(new URLSearchParams(await c.req.text()))
    if (form['grant_type'] !== 'authorization_code' && form['grant_type'] !== 'refresh_token') {
      return c.json({ error: 'unsupported_grant_type' }, 400)
    }
    const tokens = useToken(deps, app, form)
    if (!tokens) return c.json({ error: 'invalid_grant', ...DESCRIPTIONS[knobs().invalidGrantDescription] }, 400)
    inFlight.add(tokens.grantId)
    await setTimeout(knobs().tokenDelayMs)
    inFlight.delete(tokens.grantId)
    const withHardExpiry = c.req.header('x-include-refresh-token-hard-expires-in') === 'true'
    const body = toBody(tokens, knobs().numbersAsStrings, withHardExpiry)
    return c.json({ ...body, ...(await toIdTokenBody(deps, app, tokens)) })
  }
}
