import { createHash } from 'node:crypto'
import { createGrant, issueTokens } from './grants.ts'
import type { IntuitApp, IssuedTokens, Issuer } from './issuer.ts'
import type { AuthorizationOptions } from './state.ts'

/** Issues an authorization code for a consent. */
export const issueCode = (
  issuer: Issuer,
  app: IntuitApp,
  redirectUri: string,
  realmId: string,
  options: AuthorizationOptions,
): string => {
  const { state, now, knobs, createToken } = issuer
  const value = createToken('XAB', 50)
  const expiresAt = now() + knobs().codeLivesSeconds
  state.codes.push({ value, clientId: app.clientId, redirectUri, realmId, expiresAt, ...options })
  return value
}

/** RFC 7636 section 4.6. A code without a challenge must have no verifier. */
const matchesChallenge = (challenge: string | undefined, verifier: string | undefined) =>
  challenge === (verifier && createHash('sha256').update(verifier).digest('base64url'))

/** Exchanges a code for tokens. `undefined` is `invalid_grant`; a replayed code may also end its grant. */
export const redeemCode = (
  issuer: Issuer,
  app: IntuitApp,
  value: string,
  redirectUri: string,
  codeVerifier: string | undefined,
): IssuedTokens | undefined => {
  const { state, now, knobs } = issuer
  const code = state.codes.find((one) => one.value === value)
  if (code?.clientId !== app.clientId || code.redirectUri !== redirectUri || code.expiresAt <= now()) return undefined
  if (!matchesChallenge(code.codeChallenge, codeVerifier)) return undefined
  if (code.redeemedAs !== undefined) {
    const first = state.grants.find(({ id }) => id === code.redeemedAs)
    if (first && knobs().replayKills) first.alive = false
    return undefined
  }
  const grant = createGrant(issuer, app, code.realmId)
  code.redeemedAs = grant.id
  return { ...issueTokens(issuer, grant, true), openIdNonce: code.openIdNonce }
}
