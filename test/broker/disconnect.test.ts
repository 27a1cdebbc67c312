import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startDynamoDb } from '../../dev/dynamodb.ts'
import { createTable } from '../../dev/table.ts'
import type { ConnectionStore, DisconnectionStore } from '../../src/broker/ports/storage.ts'
import { createConnectionStore } from '../../src/storage/connection-store.ts'
import { createDisconnectionStore } from '../../src/storage/disconnection-store.ts'
import { createDynamoDb } from '../../src/storage/dynamodb.ts'
import { adminClient, realRuntime, testStorage } from '../support/engine.ts'
import { freshKey, freshRealm } from '../support/fixtures.ts'
import { createMemoryStores } from '../support/memory-stores.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const now = () => Math.floor(Date.now() / 1000)
const problem = async (answer: Response) => ({ status: answer.status, code: (await answer.json()).code })
const NOT_CONNECTED = { status: 409, code: 'missing_refresh_token' }

interface Stores {
  connections: ConnectionStore
  disconnections: DisconnectionStore
}

/** What every store of disconnections guarantees, the fake included. */
const describeGuarantees = (stores: () => Stores) => {
  let times = Date.now() - 1_000_000
  const connect = async (companyKey: string, writer = 'consent') => {
    const at = times++
    const pair = {
      ...{ accessToken: `access ${writer}`, accessTokenExpiresAt: now() + 3600 },
      ...{ refreshToken: `refresh ${writer}`, refreshTokenExpiresAt: now() + 9000 },
      ...{ refreshTokenHardExpiresAt: undefined, refreshTokenHash: `hash ${writer}` },
    }
    const consent = { companyName: 'Beach', environment: 'production' as const, realmId: '1', pair, at, writer }
    const connection = await stores().connections.connect(companyKey, consent)
    return { connection, pair, consent }
  }
  const erasure = (writer = 'me') => ({ writer, at: times++ })
  const stored = (companyKey: string) => stores().connections.read(companyKey, now())

  it('erases tokens, hash, lease and failure, keeps the rest, and raises the generation', async () => {
    const { connection } = await connect(freshKey())
    const { companyKey } = connection
    await stores().connections.acquireLease(companyKey, { owner: 'a', now: Date.now(), until: Date.now() + 45_000 })
    expect(await stores().disconnections.erase(connection, erasure())).toBe(true)
    expect(await stored(companyKey)).toEqual({
      ...connection,
      ...{ accessToken: undefined, accessTokenExpiresAt: undefined, refreshToken: undefined },
      ...{ refreshTokenExpiresAt: undefined, refreshTokenHash: undefined, lease: undefined, failure: undefined },
      ...{ generation: 2, updatedAt: expect.any(Number) },
      disconnection: { at: expect.any(Number), revocation: 'pending', intuitTid: undefined },
      lastChange: { at: expect.any(Number), by: 'me' },
    })
  })

  it('keeps the token to revoke until the revocation is settled', async () => {
    const { connection } = await connect(freshKey())
    const { companyKey, refreshToken: tokenToRevoke } = connection
    await stores().disconnections.erase(connection, { ...erasure(), tokenToRevoke })
    expect((await stored(companyKey))?.disconnection?.token).toBe(tokenToRevoke)
    const settlement = { writer: 'me', revocation: 'unconfirmed' as const, intuitTid: undefined, now: now() }
    expect(await stores().disconnections.settle(companyKey, settlement)).toBe(true)
    expect((await stored(companyKey))?.disconnection).not.toHaveProperty('token')
  })

  it('prefers a confirmed revocation to an unconfirmed one, in any order', async () => {
    const at = { writer: 'me', intuitTid: undefined, now: now() }
    const orders = [['confirmed', 'unconfirmed'] as const, ['unconfirmed', 'confirmed'] as const]
    for (const order of orders) {
      const { connection } = await connect(freshKey())
      await stores().disconnections.erase(connection, erasure())
      for (const revocation of order) await stores().disconnections.settle(connection.companyKey, { ...at, revocation })
      expect(await stored(connection.companyKey)).toMatchObject({ disconnection: { revocation: 'confirmed' } })
    }
  })

  it('removes the token to revoke with the next consent', async () => {
    const { connection } = await connect(freshKey())
    const { companyKey, refreshToken: tokenToRevoke } = connection
    await stores().disconnections.erase(connection, { ...erasure(), tokenToRevoke })
    const { connection: again } = await connect(companyKey, 'again')
    expect(again.disconnection).toBeUndefined()
    expect(JSON.stringify(await stored(companyKey))).not.toContain(tokenToRevoke)
  })

  it('orders a disconnect after the consent that it has read, and a consent after that disconnect, with any clock skew', async () => {
    const { connection } = await connect(freshKey())
    const { companyKey, lastChange } = connection
    const early = (lastChange?.at ?? 0) - 60_000
    await stores().disconnections.erase(connection, { writer: 'me', at: early })
    const erased = await stored(companyKey)
    expect(erased?.lastChange?.at).toBeGreaterThan(lastChange?.at ?? 0)
    const { consent } = await connect(freshKey(), 'other')
    const slow = { ...consent, at: early, after: erased?.lastChange, writer: 'slow' }
    expect(await stores().connections.connect(companyKey, slow)).toMatchObject({
      ...{ refreshToken: 'refresh other', lastRefreshAt: Math.floor(early / 1000), lastChange: { by: 'slow' } },
    })
  })

  it('does not erase a record that changed since it was read, and recognises its own erasure', async () => {
    const { connection } = await connect(freshKey())
    const { connection: newer } = await connect(connection.companyKey, 'again')
    expect(await stores().disconnections.erase(connection, erasure())).toBe(false)
    expect(await stored(connection.companyKey)).toEqual(newer)
    expect(await stores().disconnections.erase(newer, erasure())).toBe(true)
    expect(await stores().disconnections.erase(newer, erasure())).toBe(true)
    expect(await stores().disconnections.erase(newer, erasure('other'))).toBe(false)
    expect(await stored(connection.companyKey)).toMatchObject({ generation: 3 })
  })

  it('records the result of the revocation, unless the key was connected again', async () => {
    const { connection } = await connect(freshKey())
    const { companyKey } = connection
    await stores().disconnections.erase(connection, erasure())
    const settlement = { revocation: 'confirmed' as const, intuitTid: '1-tid', now: now() }
    await stores().disconnections.settle(companyKey, { ...settlement, writer: 'other' })
    expect(await stored(companyKey)).toMatchObject({ disconnection: { revocation: 'pending' } })
    await stores().disconnections.settle(companyKey, { ...settlement, writer: 'me' })
    expect(await stored(companyKey)).toMatchObject({
      disconnection: { revocation: 'confirmed', intuitTid: '1-tid' },
    })
    const { connection: again } = await connect(companyKey, 'again')
    expect(again).toMatchObject({ generation: 3, disconnection: undefined })
    await stores().disconnections.settle(companyKey, { ...settlement, writer: 'me' })
    expect(await stored(companyKey)).toEqual(again)
  })

  it('refuses every late write that would bring tokens back', async () => {
    const { connection, pair, consent } = await connect(freshKey())
    await stores().disconnections.erase(connection, erasure())
    const erased = await stored(connection.companyKey)
    const successor = { pair, now: now(), writer: 'late' }
    for (const rotated of [true, false]) {
      expect(await stores().connections.replace(connection, { ...successor, rotated }, 'free')).toBeUndefined()
    }
    // A consent repeats its write because the first response was lost.
    await stores().connections.connect(connection.companyKey, consent)
    expect(await stored(connection.companyKey)).toEqual(erased)
  })
}

describe('the disconnection store in memory', () => {
  const stores = createMemoryStores()
  describeGuarantees(() => stores)
})

describe('the disconnection store over a table', () => {
  let close: () => Promise<void>
  let stores: Stores
  beforeAll(async () => {
    const engine = await startDynamoDb({})
    close = engine.close
    await createTable(adminClient(engine.url), testStorage(engine.url).table)
    const table = createDynamoDb(() => testStorage(engine.url), realRuntime)
    stores = { connections: createConnectionStore(table), disconnections: createDisconnectionStore(table) }
  })
  afterAll(() => close())
  describeGuarantees(() => stores)
})

describe('DELETE /api/connections/{company_key}', () => {
  let service: Service
  beforeAll(async () => {
    service = await startService()
  })
  afterAll(() => service.close())
  beforeEach(async () => {
    service.dynamo.heal()
    await service.intuit.reset()
  })

  const disconnect = (key: string) => service.api(`/api/connections/${key}`, { method: 'DELETE' })
  const stored = async (key: string) => (await service.dynamo.item(`connection#${key}`)) ?? {}
  const alive = async (realmId: string) =>
    (await service.intuit.state()).grants.filter((grant) => grant.realmId === realmId && grant.alive).length
  const TOKENS = ['access_token', 'refresh_token', 'refresh_token_hash', 'access_token_expires_at', 'lease_owner']

  it('erases the tokens, keeps the rest, and reports that Intuit confirmed the revocation', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { companyName: 'Beach Blend', realmId })
    const before = await stored(key)
    const answer = await disconnect(key)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({
      ...{ company_key: key, disconnected: true, revoked: true, revocation: 'confirmed' },
      intuit_tid: expect.stringMatching(/^1-/),
    })
    expect(await alive(realmId)).toBe(0)
    const after = await stored(key)
    for (const name of TOKENS) expect(after).not.toHaveProperty(name)
    expect(after).toMatchObject({
      ...{ company_name: { S: 'Beach Blend' }, realm_id: { S: realmId }, generation: { N: '2' } },
      ...{ dies_at: { N: '9999999999' }, fleet_shard: before['fleet_shard'] },
      ...{ created_at: before['created_at'], revocation: { S: 'confirmed' } },
      ...{ revocation_tid: { S: expect.stringMatching(/^1-/) }, disconnected_at: { N: expect.any(String) } },
    })
    expect(after).not.toHaveProperty('expires_at')
    await expect.poll(() => service.dynamo.item(`realm#production#${realmId}`)).toBeUndefined()
  })

  it('leaves a connection that is shown as not connected and has no token', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: freshRealm() })
    expect((await service.api(`/api/token/${key}`)).status).toBe(200)
    await disconnect(key)
    expect(await (await service.api(`/api/connections/${key}`)).json()).toMatchObject({
      ...{ connected: false, access_token_expires_at: null, refresh_token_expires_at: null },
    })
    expect(await problem(await service.api(`/api/token/${key}`))).toEqual(NOT_CONNECTED)
    expect(await problem(await service.api(`/api/token/${key}/refresh`, { method: 'POST' }))).toEqual(NOT_CONNECTED)
  })

  it('can be repeated and returns the recorded result', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: freshRealm() })
    const first = await (await disconnect(key)).json()
    const record = await stored(key)
    const again = await disconnect(key)
    expect(again.status).toBe(200)
    expect(await again.json()).toEqual(first)
    expect(await stored(key)).toEqual(record)
    expect((await service.intuit.state()).counts.revoke).toBe(1)
  })

  it('revokes once for concurrent requests', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: freshRealm() })
    const answers = await Promise.all([disconnect(key), disconnect(key), disconnect(key)])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect((await service.intuit.state()).counts.revoke).toBe(1)
    expect(await stored(key)).toMatchObject({ generation: { N: '2' } })
  })

  it('responds with 404 to an unknown key, and does not change an unfinished record', async () => {
    expect(await problem(await disconnect(freshKey()))).toEqual({ status: 404, code: 'connection_not_found' })
    const key = freshKey()
    await service.fetch(`/oauth/start/${key}`)
    const before = await stored(key)
    expect(await (await disconnect(key)).json()).toMatchObject({ revoked: false, revocation: 'none' })
    expect(await stored(key)).toEqual(before)
  })

  it('frees the key for another company', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId: freshRealm() })
    await disconnect(key)
    expect((await service.connect(key, { realmId })).status).toBe(200)
    const record = await stored(key)
    expect(record).toMatchObject({ realm_id: { S: realmId }, generation: { N: '3' } })
    expect(record).not.toHaveProperty('revocation')
    expect(record).not.toHaveProperty('disconnected_at')
    expect((await service.api(`/api/token/${key}`)).status).toBe(200)
  })

  it('does not affect a consent that is under way', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    const path = await service.consented(key, { realmId })
    await disconnect(key)
    expect((await service.fetch(path)).status).toBe(200)
  })

  it('ends as unconfirmed if Intuit responds with 400', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    await service.intuit.kill(realmId)
    expect(await (await disconnect(key)).json()).toMatchObject({ revoked: false, revocation: 'unconfirmed' })
    expect(await stored(key)).toMatchObject({
      ...{ revocation: { S: 'unconfirmed' }, revocation_tid: { S: expect.stringMatching(/^1-/) } },
    })
    expect((await service.intuit.state()).counts.revoke).toBe(1)
  })

  it.each([
    ['429', { kind: 'status', status: 429 }],
    ['503', { kind: 'status', status: 503, body: '<html>' }],
    ['a redirect', { kind: 'status', status: 302, headers: { Location: 'http://127.0.0.1:9/' } }],
    ['a cut connection', { kind: 'reset_before' }],
  ])('retries in the background if Intuit responds with %s', async (_, fault) => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    await service.intuit.fault({ endpoint: 'revoke', fault })
    expect(await (await disconnect(key)).json()).toMatchObject({ revoked: false, revocation: 'pending' })
    expect(await stored(key)).not.toHaveProperty('refresh_token')
    await expect.poll(() => stored(key), { timeout: 20_000 }).toMatchObject({ revocation: { S: 'confirmed' } })
    expect(await alive(realmId)).toBe(0)
  })

  /** Makes a record as the first disconnect leaves it if its Worker dies before the request to Intuit. */
  const eraseOnly = async (key: string) => {
    const { pk, access_token, access_token_expires_at, refresh_token, ...rest } = await stored(key)
    if (!pk || !refresh_token) throw new Error('not connected')
    const at = Date.now() - 60_000
    await service.dynamo.put({
      ...{ pk, ...rest, revocation: { S: 'pending' }, revocation_token: refresh_token },
      ...{ disconnected_at: { N: String(Math.floor(at / 1000)) } },
    })
  }

  it('finishes an earlier disconnect with one request to Intuit', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    await eraseOnly(key)
    expect(await alive(realmId)).toBe(1)
    expect(await (await disconnect(key)).json()).toMatchObject({ revoked: true, revocation: 'confirmed' })
    expect(await alive(realmId)).toBe(0)
    expect(await stored(key)).toMatchObject({ revocation: { S: 'confirmed' } })
    expect(await stored(key)).not.toHaveProperty('revocation_token')
    expect((await service.intuit.state()).counts.revoke).toBe(1)
  })

  it('hands out no token while the revocation is pending', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: freshRealm() })
    await eraseOnly(key)
    expect(await problem(await service.api(`/api/token/${key}`))).toEqual(NOT_CONNECTED)
    expect(await problem(await service.api(`/api/token/${key}/refresh`, { method: 'POST' }))).toEqual(NOT_CONNECTED)
    expect(await (await service.api(`/api/connections/${key}`)).json()).toMatchObject({ connected: false })
    expect((await service.intuit.state()).counts).toMatchObject({ refresh: 0 })
  })

  it('leaves the revocation pending for a later disconnect while Intuit is unavailable', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    await eraseOnly(key)
    await service.intuit.fault({ endpoint: 'revoke', times: 100, fault: { kind: 'status', status: 503, body: '' } })
    expect(await (await disconnect(key)).json()).toMatchObject({ revoked: false, revocation: 'pending' })
    expect(await stored(key)).toHaveProperty('revocation_token')
    await service.intuit.heal()
    expect(await (await disconnect(key)).json()).toMatchObject({ revocation: 'confirmed' })
  })

  it('reports a revocation as unconfirmed if its Worker died and left no token', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: freshRealm() })
    await disconnect(key)
    const at = { N: String(now() - 61) }
    await service.dynamo.put({
      ...(await stored(key)),
      pk: { S: `connection#${key}` },
      revocation: { S: 'pending' },
      disconnected_at: at,
    })
    expect(await (await disconnect(key)).json()).toMatchObject({ revocation: 'unconfirmed' })
  })

  it('erases tokens that cannot be decrypted, and leaves their revocation unconfirmed', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: freshRealm() })
    const damaged = { S: 'sealed:v1:damaged' }
    await service.dynamo.put({
      ...(await stored(key)),
      pk: { S: `connection#${key}` },
      access_token: damaged,
      refresh_token: damaged,
    })
    expect(await (await disconnect(key)).json()).toMatchObject({ disconnected: true, revocation: 'unconfirmed' })
    expect(await stored(key)).not.toHaveProperty('refresh_token')
    expect((await service.intuit.state()).counts.revoke).toBe(0)
  })

  it('disconnects a record that was written by hand', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: freshRealm() })
    const { pk, access_token, refresh_token } = await stored(key)
    if (!pk || !access_token || !refresh_token) throw new Error('not connected')
    await service.dynamo.put({ pk, access_token, refresh_token, access_token_expires_at: { N: String(now() + 3600) } })
    expect(await (await disconnect(key)).json()).toMatchObject({ revocation: 'confirmed' })
    expect(await stored(key)).toMatchObject({ generation: { N: '1' } })
  })

  it('revokes although the response to the erasure was lost', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    service.dynamo.fault({ kind: 'cut after', operation: 'UpdateItem', times: 1 })
    expect(await (await disconnect(key)).json()).toMatchObject({ revocation: 'confirmed' })
    expect(await stored(key)).toMatchObject({ generation: { N: '2' } })
  })

  it('revokes nothing if the table is unreachable', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    service.dynamo.fault({ kind: 'error', operation: 'UpdateItem', status: 500, type: 'InternalServerError' })
    expect(await problem(await disconnect(key))).toEqual({ status: 503, code: 'storage_unavailable' })
    expect(await alive(realmId)).toBe(1)
  })

  it('revokes the token pair of a refresh that was stored in the meantime', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: freshRealm() })
    const read = Promise.withResolvers<void>()
    service.dynamo.fault({
      ...{ kind: 'hold', operation: 'UpdateItem', until: read.promise, times: 1 },
      when: ({ body }) => JSON.stringify(body).includes('disconnected_at'),
    })
    const pendingDisconnect = disconnect(key)
    await expect.poll(() => service.dynamo.requests.at(-1)?.operation).toBe('UpdateItem')
    expect((await service.api(`/api/token/${key}/refresh`, { method: 'POST' })).status).toBe(200)
    read.resolve()
    expect(await (await pendingDisconnect).json()).toMatchObject({ revocation: 'confirmed' })
    expect(await stored(key)).not.toHaveProperty('refresh_token')
  })

  it('fails a consent that lost the response to its write and repeats the write after the disconnect', async () => {
    const key = freshKey()
    const path = await service.consented(key, { realmId: freshRealm() })
    const storing = {
      operation: 'UpdateItem',
      when: ({ body }: { body: unknown }) => JSON.stringify(body).includes(':realm_id'),
      times: 1,
    }
    service.dynamo.fault({ ...storing, kind: 'cut after' })
    const disconnected = Promise.withResolvers<void>()
    const askingAgain = service.dynamo.fault({ ...storing, kind: 'hold', until: disconnected.promise })
    const consenting = service.fetch(path)
    await askingAgain.strikes
    expect((await disconnect(key)).status).toBe(200)
    disconnected.resolve()
    expect(await problem(await consenting)).toEqual({ status: 404, code: 'connection_not_found' })
    expect(await stored(key)).not.toHaveProperty('refresh_token')
  })

  /** A refresh that waits for `store` before it stores its token pair. */
  const holdRefresh = async (key: string) => {
    const storing = Promise.withResolvers<void>()
    // Of this company: a consent of an earlier test may still be stored in the background.
    const isStore = (body: unknown) =>
      [':written_by', `connection#${key}`].every((part) => JSON.stringify(body).includes(part))
    service.dynamo.fault({
      ...{ kind: 'hold', operation: 'UpdateItem', until: storing.promise, times: 1 },
      when: ({ body }) => isStore(body),
    })
    const pendingRefresh = service.api(`/api/token/${key}/refresh`, { method: 'POST' })
    await expect.poll(async () => (await service.intuit.state()).counts.refresh).toBe(1)
    await expect
      .poll(() =>
        service.dynamo.requests.some(
          ({ operation, body }) =>
            operation === 'UpdateItem' && isStore(body) && !JSON.stringify(body).includes('connected_at'),
        ),
      )
      .toBe(true)
    return { pendingRefresh, store: storing.resolve }
  }

  it.each(['same', 'rotated'])(
    'is not undone by a late refresh with the %s token, which revokes its own token pair',
    async (kind) => {
      const [key, realmId] = [freshKey(), freshRealm()]
      await service.connect(key, { realmId })
      if (kind === 'rotated') await service.intuit.turn({ rotateAfterSeconds: 0 })
      const { pendingRefresh, store } = await holdRefresh(key)
      expect((await disconnect(key)).status).toBe(200)
      store()
      expect(await problem(await pendingRefresh)).toEqual(NOT_CONNECTED)
      expect(await stored(key)).not.toHaveProperty('refresh_token')
      // Not the count of all revocations: a retry of an earlier test may still run in the background.
      await expect.poll(() => alive(realmId)).toBe(0)
    },
  )

  it('makes a late refresh revoke its token pair, even if the table is unreachable at that moment', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    await service.intuit.turn({ rotateAfterSeconds: 0 })
    const { pendingRefresh, store } = await holdRefresh(key)
    expect((await disconnect(key)).status).toBe(200)
    // The read after the refused write succeeds; all attempts of the next two reads fail.
    let reads = 0
    service.dynamo.fault({
      ...{ kind: 'error', operation: 'GetItem', status: 500, type: 'InternalServerError', times: 8 },
      when: ({ body }) => JSON.stringify(body).includes(`connection#${key}`) && ++reads > 1,
    })
    store()
    expect(await problem(await pendingRefresh)).toEqual({ status: 503, code: 'storage_unavailable' })
    await expect.poll(() => alive(realmId)).toBe(0)
  })

  it('requires an API key and a valid company key', async () => {
    expect((await service.fetch('/api/connections/beach', { method: 'DELETE' })).status).toBe(401)
    expect(await problem(await disconnect('-beach'))).toEqual({ status: 400, code: 'invalid_company_key' })
  })
})

describe('a deployment that cannot revoke', () => {
  it('reports it before it erases anything, and serves all other routes', async () => {
    const service = await startService({ vars: { INTUIT_REVOCATION_ENDPOINT: 'http://intuit.example/revoke' } })
    const key = freshKey()
    await service.connect(key)
    const answer = await service.api(`/api/connections/${key}`, { method: 'DELETE' })
    expect(await answer.clone().json()).toMatchObject({ detail: expect.stringContaining('INTUIT_REVOCATION_ENDPOINT') })
    expect(await problem(answer)).toEqual({ status: 500, code: 'configuration_error' })
    expect((await service.api(`/api/token/${key}`)).status).toBe(200)
    await service.close()
  })
})
