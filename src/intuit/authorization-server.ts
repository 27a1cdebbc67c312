import type { Environment } from '../broker/company.ts'
import type { AuthorizationServer, ExchangeAnswer, TokenResult, UseGuard } from '../broker/ports/intuit.ts'
import type { Runtime } from '../broker/ports/runtime.ts'
import type { Config } from '../config/config.ts'
import { digestClient } from './client-authentication.ts'
import { revokeToken } from './revocation.ts'
import { type GrantType, redeem } from './token-endpoint.ts'

interface AuthorizationServerRuntime extends Pick<Runtime, 'now' | 'sleep'> {
  fetch: typeof fetch
}

/** A response to a code must have a refresh token: there is no earlier one to keep. */
function toExchangeAnswer(result: TokenResult): ExchangeAnswer {
  if (!result.ok) return result
  const { pair, intuitTid } = result
  if (pair.refreshToken !== undefined)
    return { ok: true, pair: { ...pair, refreshToken: pair.refreshToken }, intuitTid }
  return { ok: false, reason: 'no_refresh_token', intuitTid, intuitError: undefined, retryAfterSeconds: undefined }
}

/**
 * Intuit's authorization server. Endpoints and client credentials are read when they are needed, so a missing one fails
 * only the routes that use it.
 */
export function createAuthorizationServer(
  config: Config,
  { fetch, now, sleep }: AuthorizationServerRuntime,
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

    authorizationUrl(environment, state) {
      const { authorizationEndpoint, redirectUri, scope } = config.authorization()
      const url = new URL(authorizationEndpoint)
      url.searchParams.set('client_id', config[environment]().clientId)
      url.searchParams.set('response_type', 'code')
      url.searchParams.set('scope', scope)
      url.searchParams.set('redirect_uri', redirectUri)
      url.searchParams.set('state', state)
      return url.href
    },

    async exchange(environment, code) {
      const { redirectUri } = config.authorization()
      const parameters = { code, redirect_uri: redirectUri }
      const { answer, late } = await redeemAt(environment, 'authorization_code', parameters)
      return { answer: toExchangeAnswer(answer), late: late?.then((result) => result && toExchangeAnswer(result)) }
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
