import type { Environment } from '../broker/company.ts'
import type {
  AuthorizationServer,
  ExchangeAnswer,
  IdTokenResult,
  TokenResult,
  UseGuard,
} from '../broker/ports/intuit.ts'
import type { Runtime } from '../broker/ports/runtime.ts'
import { nowSeconds } from '../broker/timing.ts'
import type { Config } from '../config/config.ts'
import { sha256Base64Url } from '../crypto/digest.ts'
import { digestClient } from './client-authentication.ts'
import { parseIdToken } from './id-token.ts'
import { revokeToken } from './revocation.ts'
import { type GrantType, redeem } from './token-endpoint.ts'

interface AuthorizationServerRuntime extends Pick<Runtime, 'now' | 'sleep' | 'nonce'> {
  fetch: typeof fetch
}

/** Asks Intuit to name the company in the ID token, as Intuit's own client does. */
const CLAIMS = JSON.stringify({ id_token: { realmId: null } })

/** A response to a code must have a refresh token: there is no earlier one to keep. */
function toExchangeAnswer(result: TokenResult, readIdToken: (idToken: string) => IdTokenResult): ExchangeAnswer {
  if (!result.ok) return result
  const { pair, intuitTid } = result
  if (pair.refreshToken !== undefined) {
    const idToken = result.idToken === undefined ? undefined : readIdToken(result.idToken)
    return { ok: true, pair: { ...pair, refreshToken: pair.refreshToken }, idToken, intuitTid }
  }
  return { ok: false, reason: 'no_refresh_token', intuitTid, intuitError: undefined, retryAfterSeconds: undefined }
}

/**
 * Intuit's authorization server. Endpoints and client credentials are read when they are needed, so a missing one fails
 * only the routes that use it.
 */
export function createAuthorizationServer(
  config: Config,
  { fetch, now, sleep, nonce }: AuthorizationServerRuntime,
): AuthorizationServer {
  const redeemAt = (
    environment: Environment,
    grantType: GrantType,
    parameters: Record<string, string>,
    guard?: UseGuard,
  ) => {
    const { tokenEndpoint: url } = config.exchange()
    const { intuitMs: timeoutMs, deadlineMs: listenMs } = config.timing()
    const endpoint = { url, fetch, now, sleep, timeoutMs, listenMs }
    return redeem(endpoint, config[environment](), grantType, parameters, guard)
  }

  return {
    clientDigest(environment, companyKey) {
      return digestClient(config[environment](), companyKey)
    },

    createBinding() {
      const { asksForIdToken, usesPkce } = config.authorization()
      return {
        idTokenNonce: asksForIdToken ? nonce() : undefined,
        // Two nonces have 64 characters. RFC 7636 section 4.1 allows 43 to 128.
        codeVerifier: usesPkce ? nonce() + nonce() : undefined,
      }
    },

    async authorizationUrl(environment, state, { idTokenNonce, codeVerifier }) {
      const { authorizationEndpoint, redirectUri, scope } = config.authorization()
      const url = new URL(authorizationEndpoint)
      url.searchParams.set('client_id', config[environment]().clientId)
      url.searchParams.set('response_type', 'code')
      url.searchParams.set('scope', scope)
      url.searchParams.set('redirect_uri', redirectUri)
      url.searchParams.set('state', state)
      if (idTokenNonce !== undefined) {
        url.searchParams.set('nonce', idTokenNonce)
        url.searchParams.set('claims', CLAIMS)
      }
      if (codeVerifier !== undefined) {
        url.searchParams.set('code_challenge', await sha256Base64Url(codeVerifier))
        url.searchParams.set('code_challenge_method', 'S256')
      }
      return url.href
    },

    async exchange(environment, code, { idTokenNonce, codeVerifier }) {
      const { redirectUri } = config.authorization()
      const { issuer } = config.companyProof()
      const { clientId } = config[environment]()
      const verifier = codeVerifier === undefined ? {} : { code_verifier: codeVerifier }
      const parameters = { code, redirect_uri: redirectUri, ...verifier }
      const readIdToken = (idToken: string) =>
        parseIdToken(idToken, { issuer, clientId, nonce: idTokenNonce, now: nowSeconds({ now }) })
      const { answer, late } = await redeemAt(environment, 'authorization_code', parameters)
      return {
        answer: toExchangeAnswer(answer, readIdToken),
        late: late?.then((result) => result && toExchangeAnswer(result, readIdToken)),
      }
    },

    refresh(environment, refreshToken, guard) {
      return redeemAt(environment, 'refresh_token', { refresh_token: refreshToken }, guard)
    },

    revoke(environment, token) {
      const { revocationEndpoint: url } = config.revocation()
      return revokeToken({ url, fetch }, config[environment](), token)
    },
  }
}
