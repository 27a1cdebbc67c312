import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { EngineFault } from '../support/engine-proxy.ts'
import { startService } from '../support/worker-harness.ts'
import { type GlobalTable, startGlobalTable } from './global-table.ts'

type Edge = Awaited<ReturnType<GlobalTable['inEurope']>>

const now = () => Math.floor(Date.now() / 1000)
const NO_CACHE = { headers: { 'Cache-Control': 'no-cache' } }

let keys = 0

describe('a token read near its caller', () => {
  let world: GlobalTable
  let europe: Edge
  let america: Edge
  beforeAll(async () => {
    world = await startGlobalTable()
    ;[europe, america] = await Promise.all([world.inEurope(), world.inAmerica()])
  })
  afterAll(() => world.close())
  let release: () => void = () => undefined
  afterEach(() => release())

  /** Holds the replicas back from here on. */
  const hold = () => {
    const [inEurope, inAsia] = [world.replication.hold('eu-west-1'), world.replication.hold('ap-southeast-1')]
    release = () => {
      inEurope()
      inAsia()
    }
  }
  const item = async (companyKey: string) => {
    const found = await world.service.dynamo.item(`connection#${companyKey}`)
    if (!found) throw new Error(`There is no ${companyKey}.`)
    return found
  }
  /** Changes when the stored access token runs out, behind the Workers' back. */
  const age = async (companyKey: string, expiresAt: number) => {
    const times = {
      access_token_expires_at: { N: String(expiresAt) },
      last_refresh_at: { N: String(now() - 600) },
    }
    await world.service.dynamo.put({ ...(await item(companyKey)), ...times })
    await world.replication.send(`connection#${companyKey}`)
  }
  /** Connected, and known everywhere. */
  const connected = async () => {
    const companyKey = `company-${++keys}`
    await world.service.connect(companyKey, { realmId: String(914_000_000_000_000 + keys) })
    await world.replication.settled()
    return { companyKey, path: `/api/token/${companyKey}` }
  }
  const generation = (answer: Response) => Number(answer.headers.get('ETag')?.replaceAll('"', ''))
  const readToken = async (answer: Response) => {
    expect(answer.status).toBe(200)
    return { generation: generation(answer), ...(await answer.json()) }
  }
  const countRefreshes = async () => (await world.service.intuit.state()).counts.refresh

  it('is answered by the nearest replica, in one eventually consistent read', async () => {
    const { path } = await connected()
    const asked = world.watched()
    const answer = await europe.api(path)
    expect(answer.headers.get('Server-Timing')).toMatch(/^replica;dur=/)
    expect(await readToken(answer)).toMatchObject({ generation: 1, access_token: expect.any(String) })
    expect(asked()).toEqual({ primary: [], europe: ['GetItem'], asia: [] })
    expect(world.europe.requests.at(-1)?.body).not.toHaveProperty('ConsistentRead', true)
  })

  it('is read in the primary region if that is nearer, and if Cloudflare does not locate the caller', async () => {
    const { path } = await connected()
    const asked = world.watched()
    await readToken(await america.api(path))
    await readToken(await world.service.api(path))
    expect(asked()).toEqual({ primary: ['GetItem', 'GetItem'], europe: [], asia: [] })
  })

  it('is read in the primary region with no-cache, and so is everything except token reads', async () => {
    const { companyKey, path } = await connected()
    const asked = world.watched()
    expect((await europe.api(path, NO_CACHE)).status).toBe(200)
    expect((await europe.api(`/api/connections/${companyKey}`)).status).toBe(200)
    expect((await europe.api(`/oauth/start/${companyKey}`, { redirect: 'manual' })).status).toBe(302)
    expect((await europe.api(`${path}/refresh`, { method: 'POST' })).status).toBe(200)
    expect((await europe.api(`/api/connections/${companyKey}`, { method: 'DELETE' })).status).toBe(200)
    await world.replication.settled()
    expect(asked()).toMatchObject({ europe: [], asia: [] })
  })

  it('finds a connection that has not arrived yet, and misses what is nowhere once home has been asked', async () => {
    hold()
    const companyKey = `company-${++keys}`
    await world.service.connect(companyKey, { realmId: String(914_000_000_000_000 + keys) })
    const asked = world.watched()
    expect(await readToken(await europe.api(`/api/token/${companyKey}`))).toMatchObject({ generation: 1 })
    expect((await europe.api('/api/token/nobody')).status).toBe(404)
    expect(asked()).toEqual({ primary: ['GetItem', 'GetItem'], europe: ['GetItem', 'GetItem'], asia: [] })
  })

  it('takes what home has refreshed, and refreshes nothing, while a replica shows a token that ran out', async () => {
    const { companyKey, path } = await connected()
    await age(companyKey, now() - 10)
    hold()
    const before = await countRefreshes()
    expect(await readToken(await america.api(path))).toMatchObject({ generation: 2 })
    const answers = await Promise.all(Array.from({ length: 5 }, () => europe.api(path).then(readToken)))
    for (const answer of answers) {
      expect(answer.generation).toBe(2)
      expect(answer.access_token_expires_at).toBeGreaterThan(now() + 300)
    }
    expect(await countRefreshes()).toBe(before + 1)
  })

  it('refreshes once if the token has expired in the primary region, too', async () => {
    const { companyKey, path } = await connected()
    await age(companyKey, now() - 10)
    const before = await countRefreshes()
    const answers = await Promise.all(
      [europe, america, europe, europe].map(async ({ api }) => readToken(await api(path))),
    )
    for (const answer of answers) expect(answer.generation).toBe(2)
    expect(await countRefreshes()).toBe(before + 1)
  })

  it('reads a token close to its margin from the primary region, which refreshes it in the background', async () => {
    const { companyKey, path } = await connected()
    await age(companyKey, now() + 400)
    const asked = world.watched()
    expect(await readToken(await europe.api(path))).toMatchObject({ generation: 1 })
    await expect.poll(async () => (await item(companyKey))['generation']).toEqual({ N: '2' })
    expect(asked()).toMatchObject({ europe: ['GetItem'], primary: ['GetItem', 'UpdateItem', 'UpdateItem'] })
  })

  it('never goes back to what was before a refresh of this isolate', async () => {
    const { path } = await connected()
    await readToken(await europe.api(path))
    hold()
    expect(await readToken(await europe.api(`${path}/refresh`, { method: 'POST' }))).toMatchObject({ generation: 2 })
    const asked = world.watched()
    for (let count = 0; count < 3; count++) {
      expect(await readToken(await europe.api(path))).toMatchObject({ generation: 2 })
    }
    expect(asked()).toMatchObject({ europe: Array(3).fill('GetItem'), primary: Array(3).fill('GetItem') })
    release()
    await world.replication.settled()
    const later = world.watched()
    expect(await readToken(await europe.api(path))).toMatchObject({ generation: 2 })
    expect(later()).toMatchObject({ europe: ['GetItem'], primary: [] })
  })

  it('shows the newer token with no-cache to a caller that got 412', async () => {
    const { path } = await connected()
    hold()
    await america.api(`${path}/refresh`, { method: 'POST' })
    const stale = await readToken(await europe.api(path))
    expect(stale.generation).toBe(1)
    const refused = await europe.api(`${path}/refresh`, { method: 'POST', headers: { 'If-Match': '"1"' } })
    expect(refused.status).toBe(412)
    expect(await readToken(await europe.api(path, NO_CACHE))).toMatchObject({ generation: 2 })
    expect(await readToken(await europe.api(path))).toMatchObject({ generation: 2 })
  })

  it('gives no token that its isolate knows to be erased; another may, for as long as its replica lags', async () => {
    const { companyKey, path } = await connected()
    const [informed, uninformed] = await Promise.all([world.inEurope(), world.inEurope()])
    hold()
    expect((await europe.api(`/api/connections/${companyKey}`, { method: 'DELETE' })).status).toBe(200)
    expect((await europe.api(path)).status).toBe(409)
    expect((await informed.api(path, NO_CACHE)).status).toBe(409)
    expect((await informed.api(path)).status).toBe(409)
    expect(await readToken(await uninformed.api(path))).toMatchObject({ generation: 1 })
    release()
    await world.replication.settled()
    for (const { api } of [europe, informed, uninformed]) expect((await api(path)).status).toBe(409)
  })

  it('asks home about a token that cannot be opened', async () => {
    const { companyKey, path } = await connected()
    const encrypted = { S: 'sealed:v1:of-a-key-that-is-gone' }
    await world.europe.put({ ...(await item(companyKey)), access_token: encrypted })
    expect(await readToken(await europe.api(path))).toMatchObject({ generation: 1 })
  })

  const failures: [string, EngineFault][] = [
    ['is broken', { kind: 'error', status: 500, type: 'InternalServerError' }],
    ['is throttled', { kind: 'error', status: 400, type: 'ThrottlingException' }],
    ['may not be read', { kind: 'error', status: 400, type: 'AccessDeniedException' }],
    ['cuts the connection', { kind: 'cut before' }],
    ['loses its answers', { kind: 'cut after' }],
    ['hangs', { kind: 'hang' }],
  ]
  it.each(failures)(
    'is read in the primary region by the same request if the replica %s, which is then skipped',
    async (_, fault) => {
      const { path } = await connected()
      const edge = await world.inEurope()
      world.europe.heal()
      world.europe.fault(fault)
      const asked = world.watched()
      expect(await readToken(await edge.api(path))).toMatchObject({ generation: 1 })
      expect(await readToken(await edge.api(path))).toMatchObject({ generation: 1 })
      world.europe.heal()
      expect(asked()).toEqual({ primary: ['GetItem', 'GetItem'], europe: ['GetItem'], asia: [] })
      expect(edge.logs()).toContain('"event":"replica_passed_over"')
      expect(edge.logs()).toContain('"region":"eu-west-1"')
    },
  )

  it('stays right in a storm: no caller gets an older token, no token expires, and none is used twice', async () => {
    await world.service.intuit.turn({ rotateAfterSeconds: 0 })
    const { companyKey, path } = await connected()
    const places = [europe, america, await world.inEurope()]
    const callers = places.flatMap((place) => [place, place])
    const follow = async ({ api }: Edge, apiClient: number) => {
      let newest = 0
      for (let step = 0; step < 12; step++) {
        const forces = step % 4 === apiClient % 4
        const answer = await readToken(await (forces ? api(`${path}/refresh`, { method: 'POST' }) : api(path)))
        expect(answer.generation).toBeGreaterThanOrEqual(newest)
        expect(answer.access_token_expires_at).toBeGreaterThan(now() + 300)
        newest = answer.generation
      }
      return newest
    }
    const newest = await Promise.all(callers.map(follow))
    const { tokenUses } = await world.service.intuit.state()
    expect(tokenUses.filter(({ outcome }) => outcome === 'rotated').length).toBeGreaterThan(10)
    expect(tokenUses.filter(({ outcome }) => outcome === 'invalid_grant')).toEqual([])
    await world.replication.settled()
    expect((await item(companyKey))['generation']).toEqual({ N: String(Math.max(...newest)) })
    expect(await world.europe.item(`connection#${companyKey}`)).toEqual(await item(companyKey))
    expect(await world.asia.item(`connection#${companyKey}`)).toEqual(await item(companyKey))
  })

  it('writes to no replica, and asks none that is farther', async () => {
    const operations = (proxy: { requests: { operation: string }[] }) =>
      proxy.requests.map(({ operation }) => operation)
    expect(new Set(operations(world.europe))).toEqual(new Set(['GetItem']))
    expect(operations(world.asia)).toEqual([])
  })
})

describe('read regions that are malformed', () => {
  it('fail token reads by their name, and nothing else', async () => {
    const service = await startService({ vars: { DYNAMODB_READ_REGIONS: 'Ireland', TOKEN_CACHE_SECONDS: '0' } })
    await service.connect('beach')
    const answer = await service.api('/api/token/beach')
    expect(answer.status).toBe(500)
    const body = await answer.json()
    expect(body).toMatchObject({ code: 'configuration_error' })
    expect(body.detail).toContain('DYNAMODB_READ_REGIONS')
    expect(body.detail).not.toContain('Ireland')
    expect((await service.api('/api/connections/beach')).status).toBe(200)
    expect((await service.api('/api/token/beach/refresh', { method: 'POST' })).status).toBe(200)
    await service.close()
  })
})
