import { fileURLToPath } from 'node:url'
import { quickbooksTokens } from 'quickbooks-token-broker/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bundleWorker } from '../../dev/bundle.ts'
import { type QuickBooksApi, startQuickBooksApi } from '../support/quickbooks-api.ts'
import { startWorkerGroup, type WorkerGroup } from '../support/worker-group.ts'
import { type Service, startService } from '../support/worker-harness.ts'
import { failure } from './scripted-client.ts'

const REALM = '12314585920123'

let keys = 0
let key: string
let service: Service
let api: QuickBooksApi
beforeAll(async () => {
  service = await startService()
  api = await startQuickBooksApi(service.intuit)
})
afterAll(() => Promise.all([service.close(), api.close()]))
beforeEach(async () => {
  api.refuse(0)
  service.dynamo.heal()
  await service.intuit.reset()
  key = `beach-${++keys}`
  await service.connect(key, { companyName: 'Beach Blend', realmId: REALM })
  service.dynamo.requests.length = 0
  api.statuses.length = 0
})

const realClient = () => quickbooksTokens({ baseUrl: service.url, apiKey: service.apiKey })
const refreshes = async () => (await service.intuit.state()).counts.refresh

describe('the client', () => {
  it('reads a token and its generation once, and the connection', async () => {
    const client = realClient()
    const answered = await (await service.api(`/api/token/${key}`)).json()
    expect(await client.token(key)).toEqual({ ...answered, generation: 1 })
    service.dynamo.requests.length = 0
    expect((await client.token(key)).generation).toBe(1)
    expect(service.dynamo.requests).toEqual([])
    expect(await client.connection(key)).toEqual(await (await service.api(`/api/connections/${key}`)).json())
  })

  it('gets a token with the remaining lifetime that its caller needs', async () => {
    const client = realClient()
    const now = Math.floor(Date.now() / 1000)
    const item = (await service.dynamo.item(`connection#${key}`)) ?? {}
    const times = { last_refresh_at: { N: String(now - 2400) }, access_token_expires_at: { N: String(now + 1200) } }
    await service.dynamo.put({ ...item, ...times })
    await service.api(`/api/token/${key}`, { headers: { 'Cache-Control': 'no-cache' } })
    expect(await client.token(key)).toMatchObject({ generation: 1, access_token_expires_at: now + 1200 })
    expect((await client.token(key, { minTtlSeconds: 1800 })).generation).toBe(2)
    expect(await failure(client.token(key, { minTtlSeconds: 999_999 }))).toMatchObject({ status: 400 })
  })

  it('refreshes a generation once for all callers', async () => {
    const [one, other] = [realClient(), realClient()]
    expect((await one.refresh(key, { ifGeneration: 1 })).generation).toBe(2)
    const late = await other.refresh(key, { ifGeneration: 1 })
    expect(late).toEqual(await one.token(key))
    expect(await refreshes()).toBe(1)
  })

  it('calls QuickBooks, and again with a new token after a 401', async () => {
    const client = realClient()
    api.refuse(1)
    const answer = await client.fetch(key, api.companyInfo(REALM))
    expect(await answer.json()).toEqual({ CompanyInfo: { CompanyName: 'Beach Blend' } })
    expect(api.statuses).toEqual([401, 200])
    expect((await client.token(key)).generation).toBe(2)
  })

  it('uses the token that another caller has refreshed', async () => {
    const client = realClient()
    await client.token(key)
    await service.intuit.turn({ refreshKillsAccessToken: true })
    await realClient().refresh(key)
    expect((await client.fetch(key, api.companyInfo(REALM))).status).toBe(200)
    expect(api.statuses).toEqual([401, 200])
    expect(await refreshes()).toBe(1)
  })

  it('finds the newer token of another caller after QuickBooks has rejected a fresh one', async () => {
    const client = realClient()
    await service.intuit.turn({ refreshKillsAccessToken: true })
    api.refuse(2)
    expect((await client.fetch(key, api.companyInfo(REALM))).status).toBe(401)
    expect((await realClient().refresh(key)).generation).toBe(3)
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.fetch(key, api.companyInfo(REALM))))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50)
    expect((await client.token(key)).generation).toBe(3)
    expect(await refreshes()).toBe(2)
  })

  it('does not refresh at every call while QuickBooks rejects every token', async () => {
    const client = realClient()
    api.refuse(1000)
    for (let time = 0; time < 20; time++) {
      expect((await client.fetch(key, api.companyInfo(REALM))).status).toBe(401)
    }
    expect(await refreshes()).toBeLessThan(4)
  })

  it('reports the broker’s error for a disconnected company, an unknown one and a wrong key', async () => {
    const client = realClient()
    await client.token(key)
    await service.intuit.kill(REALM)
    expect(await failure(client.fetch(key, api.companyInfo(REALM)))).toMatchObject({
      ...{ status: 502, code: 'reconnect_required' },
      ...{ requestId: expect.stringMatching(/^[0-9a-f-]{36}$/), intuitTid: expect.stringMatching(/^1-/) },
    })
    expect(await failure(client.token('unknown'))).toMatchObject({ status: 404, code: 'connection_not_found' })
    const stranger = quickbooksTokens({ baseUrl: service.url, apiKey: 'wrong' })
    expect(await failure(stranger.connection(key))).toMatchObject({ status: 401, code: 'invalid_api_key' })
  })

  it('reports when to try again if the table cannot be reached', async () => {
    service.dynamo.fault({ kind: 'error', status: 500, type: 'InternalServerError' })
    const error = await failure(realClient().token(key))
    expect(error).toMatchObject({ status: 503, code: 'storage_unavailable', retryAfter: expect.any(Number) })
  })

  it('reports a broker that cannot be reached', async () => {
    const gone = await startQuickBooksApi(service.intuit)
    await gone.close()
    const client = quickbooksTokens({ baseUrl: gone.url, apiKey: service.apiKey })
    expect(await failure(client.token(key))).toMatchObject({ code: 'broker_unreachable', status: undefined })
  })
})

describe('the client inside a Worker', () => {
  let worker: WorkerGroup
  beforeEach(async () => {
    worker = await startWorkerGroup({
      name: 'client',
      script: await bundleWorker(fileURLToPath(new URL('worker-with-client.js', import.meta.url))),
      bindings: {
        BROKER_URL: service.url,
        BROKER_API_KEY: service.apiKey,
        COMPANY_KEY: key,
        COMPANY_INFO_URL: api.companyInfo(REALM),
      },
    })
  })
  afterEach(() => worker.close())

  it('works as in Node', async () => {
    api.refuse(1)
    const answer = await worker.fetch('/')
    expect(await answer.json()).toEqual({ CompanyInfo: { CompanyName: 'Beach Blend' } })
    expect((await worker.fetch('/')).status).toBe(200)
    expect(api.statuses).toEqual([401, 200, 200])
    expect(service.dynamo.requests.filter(({ operation }) => operation === 'GetItem').length).toBeLessThan(4)
  })

  it('completes a shared request for the other callers after its first caller has disconnected', async () => {
    const held = Promise.withResolvers<void>()
    service.dynamo.fault({ kind: 'hold', until: held.promise, times: 1 })
    const caller = worker.startLeaving('/')
    await expect.poll(() => service.dynamo.requests).toHaveLength(1)
    const staying = worker.fetch('/')
    caller.leave()
    expect(await caller.outcome).toBe('left')
    held.resolve()
    expect((await staying).status).toBe(200)
    expect(service.dynamo.requests).toHaveLength(1)
  })
})
