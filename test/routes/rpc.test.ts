import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type QuickBooksApi, startQuickBooksApi } from '../support/quickbooks-api.ts'
import {
  brokerWorker,
  rpcCaller,
  startWorkerGroup,
  TOKENS_BINDING,
  toCall,
  type WorkerGroup,
} from '../support/worker-group.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const REALM = '12314585920123'
const CALLER_KEY = 'key-of-the-callers-of-the-example'

let keys = 0
let key: string
let service: Service
let workers: WorkerGroup
let api: QuickBooksApi
beforeAll(async () => {
  service = await startService()
  api = await startQuickBooksApi(service.intuit)
  const example = {
    name: 'example',
    script: readFileSync('examples/worker-rpc/worker.js', 'utf8'),
    bindings: { QUICKBOOKS_API: api.url, CALLER_KEY },
    serviceBindings: TOKENS_BINDING,
  }
  const keyless = { ...example, name: 'keyless', bindings: { QUICKBOOKS_API: api.url } }
  workers = await startWorkerGroup(rpcCaller, example, keyless, await brokerWorker(service.vars))
})
afterAll(() => Promise.all([workers.close(), api.close(), service.close()]))
beforeEach(async () => {
  await service.intuit.reset()
  service.dynamo.heal()
  key = `beach-blend-${++keys}`
  await service.connect(key, { companyName: 'Beach Blend', realmId: REALM })
  service.dynamo.requests.length = 0
  api.refuse(0)
  api.statuses.length = 0
})

const call = async (method: string, ...args: unknown[]) => (await workers.fetch('/', toCall(method, ...args))).json()
const callExample = async (
  companyKey: string,
  headers: Record<string, string> = { 'X-API-Key': CALLER_KEY },
  name = 'example',
) => (await workers.getWorker(name)).fetch(`http://example/${companyKey}`, { headers })
const route = async (path: string) => (await service.api(path, { headers: { 'Cache-Control': 'no-cache' } })).json()
const claims = ({ body }: { body: unknown }) => JSON.stringify(body ?? '').includes('lease_owner = ')
const operations = () => service.dynamo.requests.map(({ operation }) => operation)

describe('another Worker with the binding', () => {
  it('has the body of the token route and the generation, without an API key', async () => {
    expect(await call('getToken', key)).toEqual({ ...(await route(`/api/token/${key}`)), generation: 1 })
  })

  it('has the body of the connection route and the generation', async () => {
    expect(await call('getConnection', key)).toEqual({
      ...(await route(`/api/connections/${key}`)),
      generation: 1,
    })
  })

  it('shares the memory of the isolate, unless it wants the token fresh', async () => {
    await call('getToken', key)
    await call('getToken', key, { minTtlSeconds: 900 })
    expect(operations()).toEqual(['GetItem'])
    await call('getToken', key, { fresh: true })
    expect(operations()).toEqual(['GetItem', 'GetItem'])
  })

  it('refreshes, and with a generation only if that is still the current one', async () => {
    const refreshed = await call('refreshToken', key, { ifGeneration: 1 })
    expect(refreshed).toEqual({ ...(await route(`/api/token/${key}`)), generation: 2 })
    expect(await call('refreshToken', key, { ifGeneration: 1 })).toMatchObject({
      ...{ code: 'generation_mismatch', status: 412 },
    })
    expect(await call('refreshToken', key)).toMatchObject({ generation: 3 })
    expect((await service.intuit.state()).counts.refresh).toBe(2)
  })

  it('gets a value that says why there is no token, with everything that the route returns', async () => {
    await service.intuit.fault({ endpoint: 'token', times: 9, fault: { kind: 'status', status: 503 } })
    const reason = await call('refreshToken', key)
    expect(reason).toEqual({
      ...{ type: 'about:blank', title: 'Bad Gateway', status: 502, code: 'intuit_unavailable' },
      detail: expect.stringContaining('Try again later'),
      intuit_tid: expect.stringMatching(/^1-/),
      retry_after: expect.any(Number),
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    await service.intuit.heal()
    expect(await call('getToken', 'nobody')).toMatchObject({ code: 'connection_not_found', status: 404 })
  })

  it('learns nothing of an internal error but its request id', async () => {
    const said = { __type: 'x#ValidationException', message: 'marked' }
    service.dynamo.fault({ kind: 'answer', status: 400, body: JSON.stringify(said) })
    const reason = JSON.stringify(await call('getToken', key))
    expect(reason).toContain('"code":"internal_error"')
    expect(reason).not.toContain('marked')
    await expect.poll(() => workers.logs.join()).toContain('"event":"internal_error"')
  })

  it.each([
    [['-bad'], 'invalid_company_key'],
    [[], 'invalid_company_key'],
    [[{ toString: 'beach' }], 'invalid_company_key'],
    [[7], 'invalid_company_key'],
    [['beach', { minTtlSeconds: 1801 }], 'invalid_request'],
    [['beach', { minTtlSeconds: '60' }], 'invalid_request'],
    [['beach', { minTtl: 60 }], 'invalid_request'],
    [['beach', 'fresh'], 'invalid_request'],
  ])('cannot ask for %j', async (args, code) => {
    expect(await call('getToken', ...args)).toMatchObject({ code, status: 400 })
    expect(operations()).toEqual([])
  })

  it('may leave during a refresh: it goes on, and what Intuit gives is stored', async () => {
    const held = Promise.withResolvers<void>()
    service.dynamo.fault({ kind: 'hold', until: held.promise, times: 1, when: claims })
    const caller = workers.startLeaving('/', toCall('refreshToken', key))
    await expect.poll(() => service.dynamo.requests.some(claims)).toBe(true)
    caller.leave()
    expect(await caller.outcome).toBe('left')
    held.resolve()
    const generation = async () => (await service.dynamo.item(`connection#${key}`))?.['generation']
    await expect.poll(generation).toEqual({ N: '2' })
  })

  it('leaves a line in the log, without a token', async () => {
    await call('getToken', key)
    const lines = () => workers.logs.filter((line) => line.includes(`"company_key":"${key}"`))
    await expect.poll(lines).toHaveLength(1)
    expect(JSON.parse(lines()[0] ?? '')).toMatchObject({
      ...{ event: 'request', route: 'Tokens.getToken', method: 'RPC', status: 200, outcome: 'ok' },
    })
    expect(workers.logs.join()).not.toContain((await route(`/api/token/${key}`)).access_token)
  })
})

describe('the example Worker', () => {
  it('asks QuickBooks with the company’s token', async () => {
    const answer = await callExample(key)
    expect(await answer.json()).toEqual({ CompanyInfo: { CompanyName: 'Beach Blend' } })
    expect(api.statuses).toEqual([200])
  })

  it('refreshes once on 401, and tries no third time', async () => {
    api.refuse(1)
    expect((await callExample(key)).status).toBe(200)
    api.refuse(2)
    expect((await callExample(key)).status).toBe(401)
    expect(api.statuses).toEqual([401, 200, 401, 401])
    expect((await service.intuit.state()).counts.refresh).toBe(2)
  })

  it('reads what another caller has refreshed in the meantime', async () => {
    api.refuse(1, () => service.api(`/api/token/${key}/refresh`, { method: 'POST' }))
    expect((await callExample(key)).status).toBe(200)
    expect((await service.intuit.state()).counts.refresh).toBe(1)
  })

  it('returns nothing to a caller without its key, and to nobody while it has none', async () => {
    for (const headers of [
      {},
      { 'X-API-Key': '' },
      { 'X-API-Key': `${CALLER_KEY}x` },
      { 'X-API-Key': CALLER_KEY.slice(1) },
    ])
      expect((await callExample(key, headers)).status).toBe(401)
    for (const headers of [{}, { 'X-API-Key': '' }, { 'X-API-Key': 'undefined' }])
      expect((await callExample(key, headers, 'keyless')).status).toBe(401)
    expect(operations()).toEqual([])
    expect(api.statuses).toEqual([])
  })

  it('says what to do where the company is not connected', async () => {
    const answer = await callExample('unknown')
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('Connect it at /oauth/start/') })
  })
})
