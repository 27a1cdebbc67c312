import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { createPaginationCursor } from '../../src/crypto/pagination-cursor.ts'
import { toFleetAttributes } from '../../src/storage/fleet-keys.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const DAY = 86_400
/** One time for all: what is written a second later must not sort differently. */
const NOW = Math.floor(Date.now() / 1000)

let service: Service

interface Put {
  diesIn: number
  refreshedAgo: number
  more?: Record<string, { S: string } | { N: string } | { BOOL: boolean }>
}

/** A record as the Worker itself would have written it, but for its tokens, which nobody here opens. */
const put = async (companyKey: string, { diesIn, refreshedAgo, more = {} }: Put) => {
  const { fleet_shard: shard, dies_at: diesAt } = toFleetAttributes({
    companyKey,
    holdsRefreshToken: true,
    refreshTokenExpiresAt: NOW + diesIn,
    refreshTokenHardExpiresAt: undefined,
  })
  await service.dynamo.put({
    pk: { S: `connection#${companyKey}` },
    ...{ company_key: { S: companyKey }, company_name: { S: companyKey.toUpperCase() }, realm_id: { S: '1' } },
    ...{ access_token: { S: `access of ${companyKey}` }, refresh_token: { S: `refresh of ${companyKey}` } },
    ...{ access_token_expires_at: { N: String(NOW - 60) }, refresh_token_expires_at: { N: String(diesAt) } },
    ...{ created_at: { N: String(NOW - 200 * DAY) }, updated_at: { N: String(NOW - refreshedAgo) } },
    ...{ last_refresh_at: { N: String(NOW - refreshedAgo) }, generation: { N: '5' } },
    ...{ uses_sandbox_credentials: { BOOL: false }, fleet_shard: { S: shard }, dies_at: { N: String(diesAt) } },
    ...more,
  })
}

const failed = (code: string, retryIn: number) => ({
  ...{ failure_code: { S: code }, failure_tid: { S: '1-tid' }, failure_count: { N: '1' } },
  failure_since: { N: String(NOW - 600) },
  ...{ failed_at: { N: String(NOW - 600) }, retry_at: { N: String(NOW + retryIn) } },
})

const cursorSettings = (vars: Record<string, string>) => {
  const config = readConfig(vars)
  return { ...config.access(), encryptionKeys: config.encryptionKeys() }
}

interface Listing {
  connections: { company_key: string; status: string; last_error?: { code: string; intuit_tid: string } }[]
  cursor: string | null
}

const list = async (query = '', headers: Record<string, string> = {}): Promise<Listing> => {
  const answer = await service.api(`/api/connections${query}`, { headers })
  expect(answer.status).toBe(200)
  return answer.json() as Promise<Listing>
}

/** Every page after the other. */
const whole = async (query: string) => {
  const found: Listing['connections'] = []
  let pages = 0
  for (let cursor: string | null = ''; cursor !== null; pages++) {
    const page: Listing = await list(`?${query}${cursor ? `&cursor=${cursor}` : ''}`)
    found.push(...page.connections)
    cursor = page.cursor
  }
  return { pages, keys: found.map(({ company_key: companyKey }) => companyKey), found }
}

const LIVE = Array.from({ length: 60 }, (_, index) => `live-${String(index).padStart(2, '0')}`)

beforeAll(async () => {
  service = await startService({ vars: { DYNAMODB_FLEET_INDEX: 'fleet', KEEP_ALIVE_DAYS: '0' } })
  for (const [index, key] of LIVE.entries()) await put(key, { diesIn: (40 + index) * DAY, refreshedAgo: DAY })
  await put('old', { diesIn: 5 * DAY, refreshedAgo: 95 * DAY })
  await put('late', { diesIn: -DAY, refreshedAgo: 101 * DAY })
  await put('down', { diesIn: 99 * DAY, refreshedAgo: DAY, more: failed('unavailable', 3600) })
  await put('gone', { diesIn: 98 * DAY, refreshedAgo: DAY, more: failed('invalid_grant', 3600) })
  await put('box-sandbox', { diesIn: 97 * DAY, refreshedAgo: DAY, more: { uses_sandbox_credentials: { BOOL: true } } })
  await service.fetch('/oauth/start/begun')
})
afterAll(() => service.close())

describe('the list of connections', () => {
  it('shows every connection, soonest to expire first', async () => {
    const { keys, found, pages } = await whole('limit=10')
    expect(keys).toEqual([
      'late',
      'old',
      ...LIVE.slice(0, 57),
      'box-sandbox',
      LIVE[57],
      'gone',
      LIVE[58],
      'down',
      LIVE[59],
      'begun',
    ])
    expect(pages).toBe(7)
    expect(Object.fromEntries(found.map(({ company_key: key, status }) => [key, status]))).toMatchObject({
      ...{ late: 'reconnect_required', old: 'expiring', 'live-00': 'connected', down: 'failing' },
      ...{ gone: 'reconnect_required', begun: 'unfinished' },
    })
  })

  it('shows 50 at a time by default', async () => {
    expect((await list()).connections).toHaveLength(50)
    expect((await list('?limit=100')).connections).toHaveLength(66)
    expect((await list('?limit=100')).cursor).toBeNull()
  })

  it('shows each as its own route does, and besides how it stands, and no token', async () => {
    const { connections } = await list('?limit=100')
    const shown = connections.find(({ company_key: key }) => key === 'down')
    const metadata = await (await service.api('/api/connections/down')).json()
    expect(shown).toEqual({
      ...(metadata as object),
      ...{ status: 'failing', generation: 5, refresh_token_hard_expires_at: null },
      last_error: { code: 'intuit_unavailable', at: expect.any(Number), intuit_tid: '1-tid' },
    })
    expect(JSON.stringify(connections)).not.toMatch(/access of|refresh of/)
  })

  it('filters by status', async () => {
    expect((await whole('status=reconnect_required')).keys).toEqual(['late', 'gone'])
    expect((await whole('status=expiring')).keys).toEqual(['old'])
    expect((await whole('status=failing')).keys).toEqual(['down'])
    expect((await whole('status=unfinished')).keys).toEqual(['begun'])
    expect((await whole('status=disconnected')).keys).toEqual([])
    expect((await whole('status=connected&limit=7')).keys).toHaveLength(61)
  })

  it('filters by environment', async () => {
    expect((await whole('environment=sandbox')).keys).toEqual(['box-sandbox'])
    expect((await whole('environment=production&limit=100')).keys).toHaveLength(65)
  })

  it.each([
    'limit=0',
    'limit=101',
    'limit=ten',
    'limit=5&limit=6',
    'status=fine',
    'environment=staging',
    'cursor=',
    'cursor=bm9wZQ',
    'cursor=e30..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA',
  ])('refuses %s', async (query) => {
    const answer = await service.api(`/api/connections?${query}`)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'invalid_request' })
  })

  it('refuses a cursor that was altered, and reveals no company key in one', async () => {
    const { cursor } = await list('?limit=3')
    if (!cursor) throw new Error('no cursor')
    expect(atob(cursor.split('.')[0] ?? '')).not.toContain('live')
    const middle = cursor.length - 40
    const altered = cursor.slice(0, middle) + (cursor[middle] === 'A' ? 'B' : 'A') + cursor.slice(middle + 1)
    expect((await service.api(`/api/connections?cursor=${altered}`)).status).toBe(400)
  })

  describe('a cursor', () => {
    const FILTERS = ['', 'status=connected', 'status=failing', 'status=expiring', 'status=unfinished']
    const MORE_FILTERS = [...FILTERS, 'environment=sandbox', 'environment=production&status=connected']
    const reason = async (query: string, cursor: string) => {
      const answer = await service.api(`/api/connections?${query}&cursor=${encodeURIComponent(cursor)}`)
      return { status: answer.status, ...(await answer.json()) }
    }
    const REFUSED = { status: 400, code: 'invalid_request', detail: expect.stringContaining('cursor') }

    it('is of the list that gave it: with another filter it is refused, and the index is not asked', async () => {
      for (const filter of ['', 'status=connected', 'environment=production']) {
        const { cursor } = await list(`?limit=3&${filter}`)
        expect((await list(`?limit=5&${filter}&cursor=${cursor}`)).connections).toHaveLength(5)
        const before = service.dynamo.requests.length
        for (const other of MORE_FILTERS.filter((one) => one !== filter)) {
          expect(await reason(other, cursor ?? ''), `${filter} → ${other}`).toMatchObject(REFUSED)
        }
        expect(service.dynamo.requests).toHaveLength(before)
      }
    })

    const place = [9_999_999_999, 'beach']
    const well = (places: unknown[]) => JSON.stringify({ status: null, environment: null, places })
    const shards = (one: unknown) => Array.from({ length: 16 }, () => one)
    it.each([
      ['of an earlier form', `1800000000:beach${',end'.repeat(15)}`],
      ['of no JSON', 'end'],
      ['of an array', '[]'],
      ['of null', 'null'],
      ['of no place', well([])],
      ['of too few places', well(shards(place).slice(1))],
      ['of too many places', well([...shards(place), 'end'])],
      ['of a word that is none', well(shards('begin'))],
      ['of a time that is text', well(shards(['1800000000', 'beach']))],
      ['of half a place', well(shards([1_800_000_000]))],
      ['of a place and more', well(shards([...place, 'more']))],
      ['of a status that there is not', JSON.stringify({ status: 'fine', environment: null, places: shards('end') })],
      ['of more members', JSON.stringify({ status: null, environment: null, places: shards('end'), more: 1 })],
    ])('that is sealed by us and %s is refused', async (_, text) => {
      const { encrypt } = createPaginationCursor(() => cursorSettings(service.vars))
      const before = service.dynamo.requests.length
      expect(await reason('limit=3', await encrypt(text))).toMatchObject(REFUSED)
      expect(service.dynamo.requests).toHaveLength(before)
    })

    it('that was sealed with another key is refused', async () => {
      const { encrypt } = createPaginationCursor(() => cursorSettings({ API_KEY: 'another-secret' }))
      expect(await reason('', await encrypt(well(shards('end'))))).toMatchObject(REFUSED)
    })

    it('goes on behind a record whose key is none of ours, written by hand', async () => {
      await put('by hand: a,b', { diesIn: 41 * DAY, refreshedAgo: DAY })
      const { keys } = await whole('limit=1&status=connected')
      expect(keys.filter((key) => key === 'by hand: a,b')).toHaveLength(1)
      expect(new Set(keys).size).toBe(keys.length)
      await service.dynamo.remove('connection#by hand: a,b')
    })
  })

  it('asks the index, and never scans', async () => {
    const before = service.dynamo.requests.length
    await list()
    const asked = service.dynamo.requests.slice(before)
    expect(new Set(asked.map(({ operation }) => operation))).toEqual(new Set(['Query']))
    expect(asked.length).toBeGreaterThanOrEqual(16)
    expect(asked.length).toBeLessThanOrEqual(45)
    for (const { body } of asked) expect(body).toMatchObject({ IndexName: 'fleet' })
  })
})

describe('the summary', () => {
  it('is not there before the cron has counted, and says so', async () => {
    const answer = await service.api('/api/connections/summary')
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ code: 'not_found', detail: expect.stringContaining('cron') })
  })

  it('is what the cron counted, by one read', async () => {
    await service.scheduled()
    const before = service.dynamo.requests.length
    const answer = await service.api('/api/connections/summary')
    expect(service.dynamo.requests.slice(before).map(({ operation }) => operation)).toEqual(['GetItem'])
    expect(await answer.json()).toEqual({
      counts: { connected: 61, expiring: 1, failing: 1, reconnect_required: 2, unfinished: 1, disconnected: 0 },
      total: 66,
      counted_at: expect.any(Number),
    })
  })

  it('has a route of its own in the log', async () => {
    const answer = await service.api('/api/connections/summary')
    const id = answer.headers.get('X-Request-Id') ?? ''
    const lines = () =>
      service
        .logs()
        .split('\n')
        .filter((line) => line.includes(id))
    await expect.poll(lines).toHaveLength(1)
    expect(JSON.parse(lines()[0] ?? '')).toMatchObject({ route: '/api/connections/summary', outcome: 'ok' })
  })
})
