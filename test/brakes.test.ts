import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { brakeBy, network } from '../src/routes/brakes.ts'
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

  it('lets at least 100 a minute through, as wrangler.toml has it', () => {
    const toml = readFileSync(new URL('../wrangler.toml', import.meta.url), 'utf8')
    const bound = [
      ...toml.matchAll(/name = "(\w+)"\nnamespace_id = "\d+"\nsimple = \{ limit = (\d+), period = (\d+) \}/g),
    ]
    const names = bound.map(([, name]) => name)
    expect(new Set(names)).toEqual(
      new Set(['CALLBACK_LIMIT', 'FAILED_KEY_LIMIT', 'START_COMPANY_LIMIT', 'START_LIMIT']),
    )
    for (const [, , limit, period] of bound) expect((Number(limit) * 60) / Number(period)).toBeGreaterThanOrEqual(100)
  })
})
