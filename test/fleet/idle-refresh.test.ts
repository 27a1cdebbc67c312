import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Service, startService } from '../support/worker-harness.ts'
import { createAgedConnections } from './aged-connections.ts'

let service: Service
let made: ReturnType<typeof createAgedConnections>

const generation = async (companyKey: string) => Number((await made.item(companyKey))['generation']?.N)
const generations = (keys: string[]) => Promise.all(keys.map(generation))
const countRefreshes = async () => (await service.intuit.state()).counts.refresh
const clearTable = async () => {
  for (const { pk } of await service.dynamo.all()) await service.dynamo.remove(pk?.S ?? '')
}

const suite = (vars: Record<string, string>) => {
  beforeAll(async () => {
    service = await startService({ vars: { DYNAMODB_FLEET_INDEX: 'fleet', ...vars } })
    made = createAgedConnections(service)
  })
  afterAll(() => service.close())
  beforeEach(clearTable)
  afterEach(async () => {
    await service.intuit.heal()
    service.dynamo.heal()
  })
}

describe('idle refreshes', () => {
  suite({})

  it('refresh what was idle for seven days, and nothing else', async () => {
    const keys = await made.connected(3)
    const [idle = '', nearly = ''] = keys
    await made.idle(idle, 7)
    await made.idle(nearly, 6.9)
    await service.scheduled()
    expect(await generations(keys)).toEqual([2, 1, 1])
    await service.scheduled()
    expect(await generations(keys)).toEqual([2, 1, 1])
  })

  it('acquire the lease and store the token pair as every refresh does, and leave a usable token', async () => {
    const [idle = ''] = await made.connected(1)
    await made.idle(idle, 30)
    service.dynamo.requests.length = 0
    await service.scheduled()
    const asked = service.dynamo.requests.filter(({ body }) => JSON.stringify(body).includes(`connection#${idle}`))
    expect(asked.map(({ operation }) => operation)).toEqual(['GetItem', 'UpdateItem', 'UpdateItem'])
    expect(JSON.stringify(asked[1]?.body)).toContain('lease_owner')
    const before = await countRefreshes()
    expect((await service.api(`/api/token/${idle}`)).status).toBe(200)
    expect(await countRefreshes()).toBe(before)
  })

  it('continue after a revoked and an undecryptable connection, and do not retry the revoked one', async () => {
    const keys = await made.connected(6)
    const [revoked = '', undecryptable = '', ...others] = keys
    for (const key of keys) await made.idle(key, 20)
    await made.idle(revoked, 90)
    await made.idle(undecryptable, 80)
    await service.intuit.kill((await made.item(revoked))['realm_id']?.S ?? '')
    await made.change(undecryptable, { refresh_token: { S: 'sealed:v1:nonsense' } })
    await service.scheduled()
    await service.scheduled()
    expect(await generations(others)).toEqual([2, 2, 2, 2])
    expect((await made.item(revoked))['failure_code']?.S).toBe('invalid_grant')
    const before = await countRefreshes()
    await service.scheduled()
    expect(await countRefreshes()).toBe(before)
  })

  it('retry a failed connection when its retry is due, and find out that it works again', async () => {
    const [failing = '', waiting = ''] = await made.connected(2)
    await made.failing(failing, 'unavailable', -1)
    await made.failing(waiting, 'unavailable', 600)
    await service.scheduled()
    expect(await generations([failing, waiting])).toEqual([2, 1])
    expect((await made.item(failing))['failure_code']).toBeUndefined()
  })

  it('stop after a few attempts while Intuit is down, and continue when it is available again', async () => {
    const keys = await made.connected(8)
    for (const key of keys) await made.idle(key, 20)
    await service.intuit.fault({ endpoint: 'token', times: 100, fault: { kind: 'status', status: 503 } })
    const before = await countRefreshes()
    await service.scheduled()
    expect((await countRefreshes()) - before).toBeLessThanOrEqual(4)
    await service.intuit.heal()
    await service.scheduled()
    expect((await generations(keys)).filter((one) => one === 2).length).toBeGreaterThanOrEqual(4)
  })

  it('stay within the calls of a run, whatever is due', async () => {
    const keys = await made.connected(14)
    for (const key of keys) await made.idle(key, 20)
    for (let run = 0; run < 4; run++) {
      service.dynamo.requests.length = 0
      const before = await countRefreshes()
      await service.scheduled()
      expect(service.dynamo.requests.length + (await countRefreshes()) - before).toBeLessThanOrEqual(40)
    }
    expect(new Set(await generations(keys))).toEqual(new Set([2]))
  })

  it('fail with a run that cannot reach the table, and continue with the next run', async () => {
    const [idle = ''] = await made.connected(1)
    await made.idle(idle, 20)
    service.dynamo.fault({ operation: 'Query', kind: 'error', status: 500, type: 'InternalServerError' })
    await expect(service.scheduled()).rejects.toThrow('500')
    service.dynamo.heal()
    await service.scheduled()
    expect(await generation(idle)).toBe(2)
  })

  it('are counted in a log line without tokens', async () => {
    const [idle = ''] = await made.connected(1)
    await made.idle(idle, 20)
    await service.scheduled()
    await expect
      .poll(() => service.logs())
      .toMatch(/"event":"cron","seen":1,"idle":1,"failing":0,"refreshed":1,"failed":0/)
    expect(service.logs()).not.toMatch(/RT1-|sealed:v1/)
  })
})

describe('idle refreshes with the smallest limits', () => {
  suite({ KEEP_ALIVE_REFRESHES: '2', CRON_CALLS: '30', KEEP_ALIVE_DAYS: '1' })

  it('refreshes at most the configured number per run, soonest to expire first', async () => {
    // Twelve of the sixteen shards a run, so that two runs see all of them.
    const keys = await made.connected(5)
    for (const [index, key] of keys.entries()) await made.idle(key, 2 + index)
    const done: number[] = []
    for (let run = 0; run < 10; run++) {
      await service.scheduled()
      done.push((await generations(keys)).filter((one) => one === 2).length)
    }
    for (const [run, count] of done.entries()) expect(count - (done[run - 1] ?? 0)).toBeLessThanOrEqual(2)
    expect(done.at(-1)).toBe(5)
  })

  it('continue where the previous run stopped, and count after a complete scan', async () => {
    await made.connected(20)
    const summary = async () => (await service.api('/api/connections/summary')).json()
    await service.scheduled()
    expect(await summary()).toMatchObject({ code: 'not_found' })
    await service.scheduled()
    expect(await summary()).toMatchObject({ total: 20, counts: { connected: 20 } })
  })
})

describe('without an index', () => {
  it('the cron does nothing', async () => {
    const plain = await startService()
    await plain.connect('beach')
    plain.dynamo.requests.length = 0
    await plain.scheduled()
    expect(plain.dynamo.requests).toEqual([])
    await plain.close()
  })
})
