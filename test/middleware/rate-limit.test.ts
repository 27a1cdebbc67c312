import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRateLimiter } from '../../src/middleware/rate-limit.ts'
import { freshAddress, freshKey } from '../support/fixtures.ts'
import { brokerWorker, rpcCaller, startWorkerGroup, toCall, type WorkerGroup } from '../support/worker-group.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const LIMIT = 5
const FROM = (address: string) => ({ 'CF-Connecting-IP': address })
const statuses = async (times: number, call: () => Promise<Response>) => {
  const seen: number[] = []
  for (let time = 0; time < times; time++) seen.push((await call()).status)
  return seen
}
const problem = async (answer: Response) => ({ status: answer.status, code: (await answer.json()).code })
const RATE_LIMITED = { status: 429, code: 'rate_limited' }

const minute = () => Math.floor(Date.now() / 60_000)
/** workerd counts by the minute of the clock: what failed as a new one began is tried again, with other keys. */
const inOneMinute = async (body: () => Promise<void>): Promise<void> => {
  const before = minute()
  try {
    await body()
  } catch (error) {
    if (minute() === before) throw error
    await inOneMinute(body)
  }
}
/** A test whose counts begin and end within a minute. */
const counting = (name: string, body: () => Promise<void>) => it(name, () => inOneMinute(body), 60_000)

describe('bound rate limits', () => {
  let service: Service
  beforeAll(async () => {
    const rateLimits = {
      START_LIMIT: LIMIT,
      START_COMPANY_LIMIT: 2 * LIMIT,
      CALLBACK_LIMIT: LIMIT,
      CALLBACK_COMPANY_LIMIT: 2 * LIMIT,
      FAILED_KEY_LIMIT: LIMIT,
      FORCED_REFRESH_LIMIT: LIMIT,
    }
    service = await startService({ rateLimits })
  })
  afterAll(() => service.close())

  counting('limit an address that starts again and again, do not read the table, and send Retry-After', async () => {
    const [key, address] = [freshKey(), freshAddress()]
    const start = (from: string) => service.fetch(`/oauth/start/${key}`, { headers: FROM(from) })
    expect(await statuses(LIMIT, () => start(address))).toEqual(Array(LIMIT).fill(302))
    service.dynamo.requests.length = 0
    const answer = await start(address)
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect(await problem(answer)).toEqual(RATE_LIMITED)
    expect(service.dynamo.requests).toEqual([])
    expect((await start(freshAddress())).status).toBe(302)
  })

  counting('limit many addresses that start one company', async () => {
    const key = freshKey()
    const start = (one: string) => service.fetch(`/oauth/start/${one}`, { headers: FROM(freshAddress()) })
    expect(await statuses(2 * LIMIT, () => start(key))).toEqual(Array(2 * LIMIT).fill(302))
    expect(await problem(await start(key))).toEqual(RATE_LIMITED)
    expect((await start(freshKey())).status).toBe(302)
  })

  counting('count an IPv6 subscriber as one', async () => {
    let hosts = 0
    const start = () => service.fetch('/oauth/start/four', { headers: FROM(`2001:db8:1:2::${(++hosts).toString(16)}`) })
    expect((await statuses(LIMIT + 1, start)).at(-1)).toBe(429)
  })

  counting('limit an address that calls back again and again', async () => {
    const headers = FROM(freshAddress())
    const call = () => service.fetch('/oauth/callback?code=a&state=a', { headers })
    expect(await statuses(LIMIT + 1, call)).toEqual([...Array(LIMIT).fill(400), 429])
  })

  counting('limit many addresses that invent callbacks for one company, before the table is read', async () => {
    const key = freshKey()
    await service.connect(freshKey())
    const call = (one: string) =>
      service.fetch(`/oauth/callback?code=made-up&state=${one}:${'A'.repeat(22)}&realmId=1`, {
        headers: FROM(freshAddress()),
      })
    expect(await statuses(2 * LIMIT, () => call(key))).toEqual(Array(2 * LIMIT).fill(400))
    service.dynamo.requests.length = 0
    expect(await problem(await call(key))).toEqual(RATE_LIMITED)
    expect(service.dynamo.requests).toEqual([])
    expect((await call(freshKey())).status).toBe(400)
  })

  counting('limit invalid keys from an address, and never a valid key', async () => {
    const from = FROM(freshAddress())
    const call = (key: string) => service.fetch('/api/connections', { headers: { ...from, 'X-API-Key': key } })
    expect(await statuses(LIMIT + 1, () => call('wrong'))).toEqual([...Array(LIMIT).fill(401), 429])
    expect(await statuses(3 * LIMIT, () => call(service.apiKey))).toEqual(Array(3 * LIMIT).fill(200))
    expect((await call('wrong')).status).toBe(429)
  })
})

describe('the rate limit of forced refreshes', () => {
  let service: Service
  let workers: WorkerGroup
  beforeAll(async () => {
    const rateLimits = { FORCED_REFRESH_LIMIT: LIMIT }
    service = await startService({ rateLimits })
    workers = await startWorkerGroup(rpcCaller, await brokerWorker(service.vars, rateLimits))
  })
  afterAll(() => Promise.all([workers.close(), service.close()]))
  const call = async (method: string, key: string) => (await workers.fetch('/', toCall(method, key))).json()
  const force = (key: string) => service.api(`/api/token/${key}/refresh`, { method: 'POST' })

  counting('counts by company key, calls neither table nor Intuit above the limit, and limits no read', async () => {
    const [busy, calm] = [freshKey(), freshKey()]
    for (const key of [busy, calm]) await service.connect(key)
    expect(await statuses(LIMIT, () => force(busy))).toEqual(Array(LIMIT).fill(200))
    service.dynamo.requests.length = 0
    const { counts } = await service.intuit.state()
    const answer = await force(busy)
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect(await problem(answer)).toEqual(RATE_LIMITED)
    expect(service.dynamo.requests).toEqual([])
    expect((await service.intuit.state()).counts).toEqual(counts)
    expect((await force(calm)).status).toBe(200)
    expect((await service.api(`/api/token/${busy}`)).status).toBe(200)
  })

  counting('counts those who ask at once, who share one refresh', async () => {
    const key = freshKey()
    await service.connect(key)
    const { counts } = await service.intuit.state()
    const answers = await Promise.all(Array.from({ length: 2 * LIMIT }, () => force(key)))
    const seen = answers.map(({ status }) => status)
    expect(seen.filter((status) => status === 200)).toHaveLength(LIMIT)
    expect(seen.filter((status) => status === 429)).toHaveLength(LIMIT)
    expect((await service.intuit.state()).counts.refresh - counts.refresh).toBeLessThanOrEqual(LIMIT)
  })

  counting('counts the calls of other Workers', async () => {
    const key = freshKey()
    await service.connect(key)
    for (let count = 0; count < LIMIT; count++)
      expect(await call('refreshToken', key)).toMatchObject({ generation: count + 2 })
    expect(await call('refreshToken', key)).toMatchObject({ ...RATE_LIMITED, retry_after: 60 })
    expect(await call('getToken', key)).toMatchObject({ company_key: key })
  })
})

describe('a rate limit', () => {
  it.each([undefined, null, 'text', 42, {}, { limit: 5 }])(
    'that is not bound (%j) holds nobody back',
    async (binding) => {
      await createRateLimiter(binding)('192.0.2.1')
    },
  )

  it('that fails holds nobody back', async () => {
    await createRateLimiter({ limit: () => Promise.reject(new Error('out of order')) })('192.0.2.1')
  })

  it('holds nobody back whose address Cloudflare does not name', async () => {
    await createRateLimiter({ limit: async () => ({ success: false }) })(undefined)
  })

  it('lets at least 100 a minute through, and 60 forced refreshes of one company, as wrangler.toml has it', () => {
    const toml = readFileSync(new URL('../../wrangler.toml', import.meta.url), 'utf8')
    const bound = [
      ...toml.matchAll(/name = "(\w+)"\nnamespace_id = "\d+"\nsimple = \{ limit = (\d+), period = (\d+) \}/g),
    ]
    const names = bound.map(([, name]) => name)
    expect(new Set(names)).toEqual(
      new Set([
        ...['CALLBACK_LIMIT', 'CALLBACK_COMPANY_LIMIT', 'FAILED_KEY_LIMIT', 'FORCED_REFRESH_LIMIT'],
        ...['START_COMPANY_LIMIT', 'START_LIMIT'],
      ]),
    )
    for (const [, name, limit, period] of bound) {
      const least = name === 'FORCED_REFRESH_LIMIT' ? 60 : 100
      expect((Number(limit) * 60) / Number(period)).toBeGreaterThanOrEqual(least)
    }
  })
})
