import type { Environment } from '../broker/company.ts'
import type { AuthorizationServer } from '../broker/ports.ts'
import { type Config, requireConsent, requireDisconnect, requireRefresh } from '../config.ts'
import { revokeAt } from './revocation.ts'
import { type GrantType, presentTo } from './token-endpoint.ts'

interface IntuitSurroundings {
  fetch: typeof fetch
  now(): number
}

/** Intuit's authorization server. Every endpoint and key pair is read when it is needed, so that a missing one fails only its own routes. */
export function intuit(config: Config, { fetch, now }: IntuitSurroundings): AuthorizationServer {
  const present = (environment: Environment, grantType: GrantType, parameters: Record<string, string>) => {
    const { tokenEndpoint: url } = config.exchange()
    const endpoint = { url, fetch, now, timeoutMs: config.timing().intuitMs }
    return presentTo(endpoint, config[environment](), grantType, parameters)
  }

  return {
    requireClient(environment) {
      requireConsent(config, environment)
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

    exchange(environment, code) {
      const { redirectUri } = config.authorization()
      return present(environment, 'authorization_code', { code, redirect_uri: redirectUri })
    },

    refresh(environment, refreshToken) {
      requireRefresh(config, environment)
      return present(environment, 'refresh_token', { refresh_token: refreshToken })
    },

    requireRevocation(environment) {
      requireDisconnect(config, environment)
    },

    revoke(environment, token) {
      const { revocationEndpoint: url } = config.revocation()
      return revokeAt({ url, fetch }, config[environment](), token)
    },
  }
}
