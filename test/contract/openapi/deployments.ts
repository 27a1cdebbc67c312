import { randomBytes } from 'node:crypto'
import { sha256 } from '../../support/fixtures.ts'
import { type Service, startService } from '../../support/worker-harness.ts'

export interface Visit {
  path: string
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** A key that is right, and for nothing that anybody asks of it. */
export const UNAUTHORIZED_KEY = 'nobodys-key'
const API_KEYS = JSON.stringify([
  {
    ...{ name: 'nobody', sha256: sha256(UNAUTHORIZED_KEY) },
    ...{ may: ['connection:write'], companies: ['elsewhere'] },
  },
])
const KEY = randomBytes(32).toString('base64')
const ONE_PER_MINUTE = { START_LIMIT: 1, CALLBACK_LIMIT: 1, FAILED_KEY_LIMIT: 1 }

/** The deployments in which every documented answer can be had. */
export const startDeployments = async () => {
  /** Remembers nothing, waits for nobody, and has the index; its cron counts all in one run, and refreshes nothing. */
  const whole = await startService({
    vars: {
      ...{ TOKEN_CACHE_SECONDS: '0', REFRESH_WAIT_MS: '300', ONE_KEY_PER_REALM: 'true', API_KEYS },
      ...{ DYNAMODB_FLEET_INDEX: 'fleet', CRON_CALLS: '9000', KEEP_ALIVE_DAYS: '0' },
    },
  })
  /** Lets nobody start without a signed link, binds the consent to the browser, and has no index. */
  const signing = await startService({ vars: { START_LINKS: 'signed', START_LINK_KEYS: `links:${KEY}` } })
  /** Holds back the second of a kind, has a page of its own for success, and a variable that is wrong. */
  const rateLimited = await startService({
    vars: { SUCCESS_REDIRECT_URL: 'https://books.example/connected', KEEP_ALIVE_DAYS: '91' },
    rateLimits: ONE_PER_MINUTE,
  })
  /** Has no variable at all. */
  const unset = Object.fromEntries(Object.keys(whole.vars).map((name) => [name, undefined]))
  const bare = await startService({ vars: unset })
  const close = () => Promise.all([whole, signing, rateLimited, bare].map((service) => service.close()))
  return { whole, signing, rateLimited, bare, close }
}

export type Deployments = Awaited<ReturnType<typeof startDeployments>>

/** With the service's own key, unless the visit has another. */
export const send = (service: Service, { path, method = 'GET', headers, body }: Visit): Promise<Response> =>
  service.fetch(path, {
    method,
    headers: { 'X-API-Key': service.apiKey, ...headers },
    ...(body === undefined ? {} : { body }),
  })
