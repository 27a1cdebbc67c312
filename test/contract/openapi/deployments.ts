import { randomBytes } from 'node:crypto'
import { sha256 } from '../../support/fixtures.ts'
import { type Service, startService } from '../../support/worker-harness.ts'

/** A request to one of the deployments. */
export interface Visit {
  path: string
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** A valid API key without permission for any request of these tests. */
export const UNAUTHORIZED_KEY = 'nobodys-key'
const API_KEYS = JSON.stringify([
  {
    ...{ name: 'nobody', sha256: sha256(UNAUTHORIZED_KEY) },
    ...{ may: ['connection:write'], companies: ['elsewhere'] },
  },
])
const KEY = randomBytes(32).toString('base64')
const ONE_PER_MINUTE = { START_LIMIT: 1, CALLBACK_LIMIT: 1, FAILED_KEY_LIMIT: 1 }

/** Starts the deployments that together return every documented response. */
export const startDeployments = async () => {
  /** No token cache, a short wait for leases, and the fleet index. Its cron counts all connections in one run and refreshes none. */
  const whole = await startService({
    vars: {
      ...{ TOKEN_CACHE_SECONDS: '0', REFRESH_WAIT_MS: '300', ONE_KEY_PER_REALM: 'true', API_KEYS },
      ...{ DYNAMODB_FLEET_INDEX: 'fleet', CRON_CALLS: '9000', KEEP_ALIVE_DAYS: '0' },
    },
  })
  /** Requires signed start links and has no fleet index. */
  const signing = await startService({ vars: { START_LINKS: 'signed', START_LINK_KEYS: `links:${KEY}` } })
  /** Limits each rate to one per minute, redirects after success, and has one malformed variable. */
  const rateLimited = await startService({
    vars: { SUCCESS_REDIRECT_URL: 'https://books.example/connected', KEEP_ALIVE_DAYS: '91' },
    rateLimits: ONE_PER_MINUTE,
  })
  /** Has no variables. */
  const unset = Object.fromEntries(Object.keys(whole.vars).map((name) => [name, undefined]))
  const bare = await startService({ vars: unset })
  const close = () => Promise.all([whole, signing, rateLimited, bare].map((service) => service.close()))
  return { whole, signing, rateLimited, bare, close }
}

export type Deployments = Awaited<ReturnType<typeof startDeployments>>

/** Sends a request with the API key of the service, unless the visit has another one. */
export const send = (service: Service, { path, method = 'GET', headers, body }: Visit): Promise<Response> =>
  service.fetch(path, {
    method,
    headers: { 'X-API-Key': service.apiKey, ...headers },
    ...(body === undefined ? {} : { body }),
  })
