import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { brakeBy, network } from '../src/routes/brakes.ts'
import { type RpcWorkers, startRpcWorkers } from './support/rpc-workers.ts'
import { type Service, startService } from './support/worker-harness.ts'

const LIMIT = 5
const FROM = (address: string) => ({ 'CF-Connecting-IP': address })
const statuses = async (times: number, call: () => Promise<Response>) => {
  const seen: number[] = []
  for (let time = 0; time < times; time++) seen.push((await call()).status)
  return seen
}
const problem = async (answer: Response) => ({ status: answer.status, code: (await answer.json()).code })
const RATE_LIMITED = { status: 429, code: 'rate_limited' }

describe('bound brakes', () => {
  let service: Service
  beforeAll(async () => {
    const rateLimits = {
      START_LIMIT: LIMIT,
      START_COMPANY_LIMIT: 2 * LIMIT,
      CALLBACK_LIMIT: LIMIT,
      FAILED_KEY_LIMIT: LIMIT,
      FORCED_REFRESH_LIMIT: LIMIT,
    }
    service = await startService({ rateLimits })
  })
  afterAll(() => service.close())

  it('hold back an address that starts without end, ask the table no more, and tell when to come again', async () => {
    const start = (address: string) => service.fetch('/oauth/start/one', { headers: FROM(address) })
    expect(await statuses(LIMIT, () => start('192.0.2.1'))).toEqual(Array(LIMIT).fill(302))
    service.dynamo.requests.length = 0
    const answer = await start('192.0.2.1')
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect(await problem(answer)).toEqual(RATE_LIMITED)
    expect(service.dynamo.requests).toEqual([])
    expect((await start('192.0.2.2')).status).toBe(302)
  })

  it('hold back many addresses that start one company', async () => {
    let addresses = 0
    const start = (key: string) => service.fetch(`/oauth/start/${key}`, { headers: FROM(`198.51.100.${++addresses}`) })
    expect(await statuses(2 * LIMIT, () => start('two'))).toEqual(Array(2 * LIMIT).fill(302))
    expect(await problem(await start('two'))).toEqual(RATE_LIMITED)
    expect((await start('three')).status).toBe(302)
  })

  it('count an IPv6 subscriber as one', async () => {
    let hosts = 0
    const start = () => service.fetch('/oauth/start/four', { headers: FROM(`2001:db8:1:2::${(++hosts).toString(16)}`) })
    expect((await statuses(LIMIT + 1, start)).at(-1)).toBe(429)
  })

  it('hold back an address that calls back without end', async () => {
    const call = () => service.fetch('/oauth/callback?code=a&state=a', { headers: FROM('192.0.2.1') })
    expect(await statuses(LIMIT + 1, call)).toEqual([...Array(LIMIT).fill(400), 429])
  })

  it('hold back an address with wrong keys, and never one with a right key', async () => {
    const call = (key: string) =>
      service.fetch('/api/connections', { headers: { ...FROM('192.0.2.1'), 'X-API-Key': key } })
    expect(await statuses(LIMIT + 1, () => call('wrong'))).toEqual([...Array(LIMIT).fill(401), 429])
    expect(await statuses(3 * LIMIT, () => call(service.apiKey))).toEqual(Array(3 * LIMIT).fill(200))
    expect((await call('wrong')).status).toBe(429)
  })
})

describe('the rate limit of forced refreshes', () => {
  let service: Service
  let workers: RpcWorkers
  beforeAll(async () => {
    const rateLimits = { FORCED_REFRESH_LIMIT: LIMIT }
    service = await startService({ rateLimits })
    workers = await startRpcWorkers(service.vars, {}, rateLimits)
  })
  afterAll(() => Promise.all([workers.close(), service.close()]))
  const force = (key: string) => service.api(`/api/token/${key}/refresh`, { method: 'POST' })

  it('counts by company key, asks neither table nor Intuit beyond it, and holds back no read', async () => {
    for (const key of ['busy', 'calm']) await service.connect(key)
    expect(await statuses(LIMIT, () => force('busy'))).toEqual(Array(LIMIT).fill(200))
    service.dynamo.requests.length = 0
    const { counts } = await service.intuit.state()
    const answer = await force('busy')
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect(await problem(answer)).toEqual(RATE_LIMITED)
    expect(service.dynamo.requests).toEqual([])
    expect((await service.intuit.state()).counts).toEqual(counts)
    expect((await force('calm')).status).toBe(200)
    expect((await service.api('/api/token/busy')).status).toBe(200)
  })

  it('counts those who ask at once, who share one refresh', async () => {
    await service.connect('joined')
    const { counts } = await service.intuit.state()
    const answers = await Promise.all(Array.from({ length: 2 * LIMIT }, () => force('joined')))
    const seen = answers.map(({ status }) => status)
    expect(seen.filter((status) => status === 200)).toHaveLength(LIMIT)
    expect(seen.filter((status) => status === 429)).toHaveLength(LIMIT)
    expect((await service.intuit.state()).counts.refresh - counts.refresh).toBeLessThanOrEqual(LIMIT)
  })

  it('counts the calls of other Workers', async () => {
    await service.connect('called')
    for (let count = 0; count < LIMIT; count++)
      expect(await workers.call('refreshToken', 'called')).toMatchObject({ generation: count + 2 })
    expect(await workers.call('refreshToken', 'called')).toMatchObject({ ...RATE_LIMITED, retry_after: 60 })
    expect(await workers.call('getToken', 'called')).toMatchObject({ company_key: 'called' })
  })
})

describe('a brake', () => {
  it.each([undefined, null, 'text', 42, {}, { limit: 5 }])(
    'that is not bound (%j) holds nobody back',
    async (binding) => {
      await brakeBy(binding)('192.0.2.1')
    },
  )

  it('that fails holds nobody back', async () => {
    await brakeBy({ limit: () => Promise.reject(new Error('out of order')) })('192.0.2.1')
  })

  it('holds nobody back whose address Cloudflare does not name', async () => {
    await brakeBy({ limit: async () => ({ success: false }) })(undefined)
  })

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['2001::a:b:c:d:e:f', '2001:0:a:b::/64'],
  ])('counts %s as %s', (address, counted) => {
    expect(network(address)).toBe(counted)
  })

  it('lets at least 100 a minute through, and 60 forced refreshes of one company, as wrangler.toml has it', () => {
    const toml = readFileSync(new URL('../wrangler.toml', import.meta.url), 'utf8')
    const bound = [
      ...toml.matchAll(/name = "(\w+)"\nnamespace_id = "\d+"\nsimple = \{ limit = (\d+), period = (\d+) \}/g),
    ]
    const names = bound.map(([, name]) => name)
    expect(new Set(names)).toEqual(
      new Set(['CALLBACK_LIMIT', 'FAILED_KEY_LIMIT', 'FORCED_REFRESH_LIMIT', 'START_COMPANY_LIMIT', 'START_LIMIT']),
    )
    for (const [, name, limit, period] of bound) {
      const least = name === 'FORCED_REFRESH_LIMIT' ? 60 : 100
      expect((Number(limit) * 60) / Number(period)).toBeGreaterThanOrEqual(least)
    }
  })
})
