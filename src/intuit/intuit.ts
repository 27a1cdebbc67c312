import type { AuthorizationServer } from '../broker/ports.ts'
import type { Config } from '../config.ts'
import { presentTo } from './token-endpoint.ts'

interface IntuitSurroundings {
  fetch: typeof fetch
  now(): number
}

/** Intuit's authorization server. Every endpoint and key pair is read when it is needed, so that a missing one fails only its own routes. */
export const intuit = (config: Config, { fetch, now }: IntuitSurroundings): AuthorizationServer => ({
  requireClient(environment) {
    config[environment]()
    config.exchange()
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
    const present = presentTo({ url: config.exchange().tokenEndpoint, fetch, now })
    const { redirectUri } = config.authorization()
    return present(config[environment](), 'authorization_code', { code, redirect_uri: redirectUri })
  },

  refresh(environment, refreshToken) {
    const present = presentTo({ url: config.exchange().tokenEndpoint, fetch, now })
    return present(config[environment](), 'refresh_token', { refresh_token: refreshToken })
  },
})
