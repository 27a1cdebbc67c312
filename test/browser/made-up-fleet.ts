import type { Page } from 'playwright-core'

const DAY = 24 * 3600
/** The time at which the made-up fleet is looked at. */
const AT = Date.UTC(2026, 10, 3, 9, 30)
const NOW = AT / 1000

const connection = (key: string, name: string, more: object = {}) => ({
  company_key: key,
  company_name: name,
  realm_id: '12314585920123',
  environment: 'production',
  access_token_expires_at: NOW + 2580,
  refresh_token_expires_at: NOW + 99 * DAY,
  refresh_token_hard_expires_at: NOW + 1700 * DAY,
  updated_at: NOW - 1000,
  created_at: NOW - 100 * DAY,
  last_refresh_at: NOW - 1000,
  connected: true,
  status: 'connected',
  generation: 7,
  ...more,
})

const FLEET = [
  connection('palm-court', 'Palm Court Hotel', {
    status: 'reconnect_required',
    access_token_expires_at: NOW - 4 * DAY,
    refresh_token_expires_at: NOW - 3 * DAY,
    last_refresh_at: NOW - 4 * DAY,
  }),
  connection('harbour', 'Harbour Books', {
    status: 'failing',
    last_error: { code: 'intuit_unavailable', at: NOW - 90, intuit_tid: '1-628f0be4-0000' },
  }),
  connection('lighthouse', 'Lighthouse Supplies', {
    status: 'expiring',
    refresh_token_expires_at: NOW + 6 * DAY,
  }),
  connection('beach-blend', 'Beach Blend'),
  connection('dune-sandbox', 'Dune (sandbox)', { environment: 'sandbox' }),
  connection('pier', 'Pier 9', {
    ...{ status: 'unfinished', connected: false, realm_id: null, last_refresh_at: null },
    ...{ access_token_expires_at: null, refresh_token_expires_at: null, refresh_token_hard_expires_at: null },
  }),
]

/** Puts a deployment with a listing index in front of the console: a second page of the list, and a list that changes. */
export const listed = async (page: Page) => {
  await page.clock.setFixedTime(AT)
  const pages = [FLEET.slice(0, 5), FLEET.slice(5)]
  await page.route(/\/api\/connections(\?|$)/, (route) => {
    const second = new URL(route.request().url()).searchParams.get('cursor') === 'second page'
    return route.fulfill({ json: { connections: pages[second ? 1 : 0], cursor: second ? null : 'second page' } })
  })
}

/** Everything that the console can be offered for one connection, answered as the service describes it. */
export const offered = async (page: Page, key: string) => {
  await page.clock.setFixedTime(AT)
  const calls: string[] = []
  let connected = true
  await page.route(new RegExp(`/api/connections/(${key}|any)(/.*)?$`), (route) => {
    const method = route.request().method()
    const path = new URL(route.request().url()).pathname
    if (method === 'OPTIONS') return route.fulfill({ status: 405, headers: { Allow: 'GET, HEAD, DELETE' } })
    calls.push(`${method} ${path}`)
    if (path.endsWith('/start-links')) {
      const url = `https://quickbooks.example/oauth/start/${key}?expires=1793701800&signature=abc`
      return route.fulfill({ status: 201, json: { url, expires_at: NOW + 3600 } })
    }
    if (path.endsWith('/status')) return route.fulfill({ json: { status: connected ? 'connected' : 'disconnected' } })
    if (method === 'DELETE') connected = false
    return route.fulfill({ json: connection(key, 'Beach Blend', { connected }) })
  })
  return calls
}
