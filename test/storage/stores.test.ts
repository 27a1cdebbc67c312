import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDynamoDb } from '../../dev/dynamodb.ts'
import { createTable } from '../../dev/table.ts'
import type { Connection, Failure, StoredTokenPair } from '../../src/broker/connection.ts'
import type { ConnectionStore, StateStore } from '../../src/broker/ports/storage.ts'
import { createConnectionStore } from '../../src/storage/connection-store.ts'
import { createDynamoDb, type DynamoDb } from '../../src/storage/dynamodb.ts'
import { createStateStore } from '../../src/storage/state-store.ts'
import { adminClient, realRuntime, testStorage } from '../support/engine.ts'
import { freshKey } from '../support/fixtures.ts'
import { createMemoryStores } from '../support/memory-stores.ts'

const NOW = 1_790_000_000
const DAY = 86_400

const pair = (name: string, over: Partial<StoredTokenPair> = {}): StoredTokenPair => ({
  accessToken: `access-${name}`,
  accessTokenExpiresAt: NOW + 3600,
  refreshToken: `refresh-${name}`,
  refreshTokenExpiresAt: NOW + 100 * DAY,
  refreshTokenHardExpiresAt: undefined,
  refreshTokenHash: `hash of refresh-${name}`,
  ...over,
})

/** What Intuit gives while it does not rotate. */
const SAME_TOKEN = { refreshToken: 'refresh-a', refreshTokenHash: 'hash of refresh-a' }

const failure = (over: Partial<Failure> = {}): Failure => ({
  reason: 'unavailable',
  intuitError: undefined,
  intuitTid: '1-tid',
  count: 1,
  since: NOW,
  at: NOW,
  retryAt: NOW + 10,
  notBefore: undefined,
  client: undefined,
  ...over,
})

let consents = 0
const beginning = { companyName: 'Beach Blend', environment: 'production' as const, now: NOW, expiresAt: NOW + DAY }

interface Stores {
  connections: ConnectionStore
  states: StateStore
}

/** The promises of the two stores, which the fake and the table keep alike. */
const promises = (stores: () => Stores) => {
  const connected = async (companyKey: string, name: string, realmId = '123', at = NOW * 1000 + ++consents) => {
    return stores().connections.connect(companyKey, {
      companyName: 'Beach Blend',
      environment: 'production',
      realmId,
      pair: pair(name),
      at,
      writer: `writer-${name}`,
    })
  }
  const claimed = async (companyKey: string, owner: string, now = NOW * 1000, until = now + 45_000) => {
    const claim = await stores().connections.acquireLease(companyKey, { owner, now, until })
    if (claim.outcome !== 'acquired') throw new Error(claim.outcome)
    return claim
  }

  describe('connections', () => {
    const replaced = (used: Connection, name: string, over: Partial<StoredTokenPair> = {}) =>
      stores().connections.replace(
        used,
        {
          pair: pair(name, over),
          rotated: over.refreshTokenHash === undefined,
          now: NOW + 1,
          writer: `writer-${name}`,
        },
        'free',
      )

    it('begins a record that is not connected and expires by itself', async () => {
      const key = freshKey()
      const begun = await stores().connections.begin(key, beginning)
      expect(begun).toMatchObject({
        companyName: 'Beach Blend',
        environment: 'production',
        createdAt: NOW,
        generation: 0,
      })
      expect(await stores().connections.read(key, NOW + DAY - 1)).toMatchObject({
        companyKey: key,
        accessToken: undefined,
      })
      expect(await stores().connections.read(key, NOW + DAY)).toBeUndefined()
    })

    it('keeps the first name, environment and time of an unfinished record, and extends its expiry', async () => {
      const key = freshKey()
      await stores().connections.begin(key, beginning)
      const again = { companyName: 'Other', environment: 'sandbox' as const, now: NOW + 60, expiresAt: NOW + 60 + DAY }
      expect(await stores().connections.begin(key, again)).toMatchObject({ companyName: 'Beach Blend', createdAt: NOW })
      expect(await stores().connections.read(key, NOW + DAY)).toMatchObject({ environment: 'production' })
    })

    it('overwrites an expired unfinished record', async () => {
      const key = freshKey()
      await stores().connections.begin(key, beginning)
      const later = {
        companyName: 'Later',
        environment: 'sandbox' as const,
        now: NOW + 2 * DAY,
        expiresAt: NOW + 3 * DAY,
      }
      const begun = await stores().connections.begin(key, later)
      expect(begun).toMatchObject({ companyName: 'Later', environment: 'sandbox', createdAt: NOW + 2 * DAY })
      expect(await stores().connections.read(key, NOW + 2 * DAY)).toEqual(begun)
    })

    it('leaves a connected record as it is when somebody starts again', async () => {
      const key = freshKey()
      const before = await connected(key, 'a')
      const begun = await stores().connections.begin(key, { ...beginning, companyName: 'Other' })
      expect(begun).toEqual(before)
      expect(await stores().connections.read(key, NOW + 10 * DAY)).toEqual(before)
    })

    it('connects: tokens, realm, times and the first generation', async () => {
      const key = freshKey()
      await stores().connections.begin(key, { ...beginning, now: NOW - 5 })
      const connection = await connected(key, 'a')
      expect(connection).toMatchObject({
        ...{ realmId: '123', accessToken: 'access-a', refreshToken: 'refresh-a', generation: 1 },
        ...{ createdAt: NOW - 5, updatedAt: NOW, lastRefreshAt: NOW, writtenBy: 'writer-a' },
      })
      expect(await stores().connections.read(key, NOW + 9 * DAY)).toEqual(connection)
    })

    it('recognises its own connect when the answer was lost', async () => {
      const key = freshKey()
      const first = await connected(key, 'a', '123', NOW * 1000)
      expect(await connected(key, 'a', '123', NOW * 1000)).toEqual(first)
    })

    it('recognises its own connect after a refresh, and does not overwrite the refreshed tokens', async () => {
      const key = freshKey()
      const at = NOW * 1000
      const consent = { companyName: 'Beach', environment: 'production' as const, realmId: '1', pair: pair('a') }
      const used = await stores().connections.connect(key, { ...consent, at, writer: 'consent' })
      const newer = await replaced(used, 'b')
      expect(await stores().connections.connect(key, { ...consent, at, writer: 'consent' })).toEqual(newer)
      expect(await stores().connections.read(key, NOW)).toEqual(newer)
    })

    it('lets a later consent win over an earlier one, in whatever order they arrive', async () => {
      const key = freshKey()
      const consent = { companyName: 'Beach', environment: 'production' as const, realmId: '1' }
      const later = { ...consent, pair: pair('late'), at: NOW * 1000 + 1, writer: 'late' }
      const stored = await stores().connections.connect(key, later)
      const earlier = { ...consent, pair: pair('early'), at: NOW * 1000, writer: 'early' }
      expect(await stores().connections.connect(key, earlier)).toEqual(stored)
      expect(await stores().connections.read(key, NOW)).toEqual(stored)
    })

    it('refuses to connect another realm over a connected one', async () => {
      const key = freshKey()
      const first = await connected(key, 'a', '123')
      expect(await connected(key, 'b', '456')).toEqual(first)
      expect(await stores().connections.read(key, NOW)).toEqual(first)
    })

    it('reconnects the same realm, and ends lease and failure', async () => {
      const key = freshKey()
      const first = await connected(key, 'a')
      await claimed(key, 'me')
      await stores().connections.fail(first, 'me', failure(), 'free', 'unavailable')
      await claimed(key, 'me again')
      expect(await connected(key, 'b')).toMatchObject({ generation: 2, lease: undefined, failure: undefined })
    })

    it('gives a lease to one owner, again to the same one, and to no other', async () => {
      const key = freshKey()
      await connected(key, 'a')
      expect(await claimed(key, 'first')).toMatchObject({
        isTakeover: false,
        connection: { lease: { owner: 'first' } },
      })
      await claimed(key, 'first')
      const other = await stores().connections.acquireLease(key, {
        owner: 'other',
        now: NOW * 1000,
        until: NOW * 1000 + 1,
      })
      expect(other).toMatchObject({
        outcome: 'held',
        connection: { accessToken: 'access-a', lease: { owner: 'first' } },
      })
    })

    it('says that a lapsed lease was taken over, and not that a returned one was', async () => {
      const key = freshKey()
      await connected(key, 'a')
      await claimed(key, 'first', NOW * 1000, NOW * 1000 + 1000)
      expect(await claimed(key, 'second', NOW * 1000 + 1001)).toMatchObject({ isTakeover: true })
      await stores().connections.releaseLease(key, 'second', 'free')
      expect(await claimed(key, 'third')).toMatchObject({ isTakeover: false })
    })

    it('keeps a lease that was given back as lapsed for the next one to take over', async () => {
      const key = freshKey()
      const used = await connected(key, 'a')
      await claimed(key, 'first')
      await stores().connections.releaseLease(key, 'first', { lapsedAt: NOW * 1000 - 1 })
      expect(await claimed(key, 'second')).toMatchObject({ isTakeover: true })
      await stores().connections.fail(used, 'second', failure(), { lapsedAt: NOW * 1000 - 1 }, 'unavailable')
      expect(await stores().connections.read(key, NOW)).toMatchObject({ failure: failure() })
      expect(await claimed(key, 'third')).toMatchObject({ isTakeover: true })
    })

    it('releases only its own lease', async () => {
      const key = freshKey()
      await connected(key, 'a')
      await claimed(key, 'first')
      await stores().connections.releaseLease(key, 'other', 'free')
      expect(await stores().connections.read(key, NOW)).toMatchObject({ lease: { owner: 'first' } })
    })

    it('knows nothing to claim where there is no record', async () => {
      const claim = await stores().connections.acquireLease(freshKey(), {
        owner: 'me',
        now: NOW * 1000,
        until: NOW * 1000 + 1,
      })
      expect(claim).toEqual({ outcome: 'not_found' })
    })

    it('replaces the used token once', async () => {
      const key = freshKey()
      const used = await connected(key, 'a')
      await claimed(key, 'me')
      const next = await replaced(used, 'b')
      expect(next).toMatchObject({ generation: 2, refreshToken: 'refresh-b', lease: undefined, lastRefreshAt: NOW + 1 })
      expect(await replaced(used, 'c')).toBeUndefined()
      expect(await stores().connections.read(key, NOW)).toEqual(next)
    })

    it('recognises its own write when the answer was lost, and counts it once', async () => {
      const used = await connected(freshKey(), 'a')
      await claimed(used.companyKey, 'writer-b')
      const first = await replaced(used, 'b', SAME_TOKEN)
      expect(await replaced(used, 'b', SAME_TOKEN)).toEqual(first)
      expect(first?.generation).toBe(2)
    })

    it('stores a rotated pair even if its access token ends earlier and the lease is lost', async () => {
      const key = freshKey()
      const used = await connected(key, 'a')
      await claimed(key, 'somebody else')
      expect(await replaced(used, 'b', { accessTokenExpiresAt: NOW + 60 })).toMatchObject({
        refreshToken: 'refresh-b',
      })
    })

    it('keeps a newer access token from being overwritten by a late one of the same refresh token', async () => {
      const used = await connected(freshKey(), 'a')
      await claimed(used.companyKey, 'writer-b')
      const newer = await replaced(used, 'b', SAME_TOKEN)
      await claimed(used.companyKey, 'writer-c')
      expect(await replaced(used, 'c', { ...SAME_TOKEN, accessTokenExpiresAt: NOW + 9000 })).toBeUndefined()
      expect(await stores().connections.read(used.companyKey, NOW)).toMatchObject({ accessToken: newer?.accessToken })
    })

    it('does not end the lease of another holder with a pair that is not rotated', async () => {
      const used = await connected(freshKey(), 'a')
      await claimed(used.companyKey, 'somebody else')
      expect(await replaced(used, 'b', SAME_TOKEN)).toBeUndefined()
      expect(await stores().connections.read(used.companyKey, NOW)).toMatchObject({
        lease: { owner: 'somebody else' },
      })
    })

    it('stores a shorter-lived access token where nobody else stored one', async () => {
      const used = await connected(freshKey(), 'a')
      await claimed(used.companyKey, 'writer-b')
      const next = await replaced(used, 'b', { ...SAME_TOKEN, accessTokenExpiresAt: NOW + 60 })
      expect(next).toMatchObject({ accessToken: 'access-b', generation: 2, lease: undefined })
    })

    it('keeps a lapse until another refresh token is stored', async () => {
      const used = await connected(freshKey(), 'a')
      const { companyKey } = used
      await claimed(companyKey, 'first', NOW * 1000, NOW * 1000 + 1)
      await claimed(companyKey, 'writer-b', NOW * 1000 + 10)
      const end = { lapsedAt: NOW * 1000 + 20 }
      const successor = { pair: pair('b', SAME_TOKEN), rotated: false, now: NOW, writer: 'writer-b' }
      const same = await stores().connections.replace(used, successor, end)
      if (!same) throw new Error('refused')
      expect(await claimed(companyKey, 'writer-c', NOW * 1000 + 30)).toMatchObject({ isTakeover: true })
      const rotated = { pair: pair('c'), rotated: true, now: NOW, writer: 'writer-c' }
      await stores().connections.replace(same, rotated, { lapsedAt: NOW * 1000 + 40 })
      expect(await claimed(companyKey, 'fourth', NOW * 1000 + 50)).toMatchObject({ isTakeover: false })
    })

    it('lets nobody claim while a request may be under way, and the next one take over', async () => {
      const used = await connected(freshKey(), 'a')
      const claim = await claimed(used.companyKey, 'me')
      await stores().connections.fail(used, 'me', failure(), 'embargo', 'unavailable')
      const early = { owner: 'other', now: NOW * 1000 + 44_000, until: NOW * 1000 + 90_000 }
      expect(await stores().connections.acquireLease(used.companyKey, early)).toMatchObject({
        ...{ outcome: 'held', connection: { failure: failure(), lease: { until: claim.connection.lease?.until } } },
      })
      expect(await claimed(used.companyKey, 'other', NOW * 1000 + 46_000)).toMatchObject({ isTakeover: true })
    })

    it.each([
      ['with another refresh token', true],
      ['with the same refresh token', false],
    ])('lets the embargoed request itself store what comes late, %s', async (_, rotated) => {
      const used = await connected(freshKey(), 'a')
      const { connection } = await claimed(used.companyKey, 'me')
      const { connections } = stores()
      await connections.fail(connection, 'me', failure(), 'embargo', 'unavailable')
      const successor = { pair: pair(rotated ? 'b' : 'a'), rotated, now: NOW + 20, writer: 'me' }
      const stored = { generation: 2, lease: undefined, failure: undefined, writtenBy: 'me' }
      expect(await connections.replace(connection, successor, 'free')).toMatchObject(stored)
      expect(await connections.read(used.companyKey, NOW)).toMatchObject(stored)
    })

    it('lets the embargoed request itself record a late refusal', async () => {
      const used = await connected(freshKey(), 'a')
      const { connection } = await claimed(used.companyKey, 'me')
      const { connections } = stores()
      await connections.fail(connection, 'me', failure(), 'embargo', 'unavailable')
      const reason = { ...failure(), reason: 'invalid_grant' as const }
      await connections.fail(connection, 'me', reason, 'free', 'invalid_grant')
      const read = await connections.read(used.companyKey, NOW)
      expect(read).toMatchObject({ failure: { reason: 'invalid_grant' }, lease: undefined })
    })

    it('keeps the embargo of another request from what comes late with the same refresh token', async () => {
      const used = await connected(freshKey(), 'a')
      const sleeper = await claimed(used.companyKey, 'sleeper')
      const { connections } = stores()
      const next = await claimed(used.companyKey, 'next', NOW * 1000 + 46_000)
      await connections.fail(next.connection, 'next', failure(), 'embargo', 'unavailable')
      const late = { pair: pair('a'), rotated: false, now: NOW + 47, writer: 'sleeper' }
      expect(await connections.replace(sleeper.connection, late, 'free')).toBeUndefined()
      await connections.fail(sleeper.connection, 'sleeper', failure(), 'free', 'unavailable')
      const read = await connections.read(used.companyKey, NOW)
      expect(read?.lease?.until).toBe(next.connection.lease?.until)
    })

    it('refuses a late claim of a holder whose lease lapsed and was given back', async () => {
      const key = freshKey()
      await connected(key, 'a')
      await claimed(key, 'sleeper', NOW * 1000, NOW * 1000 + 1000)
      await claimed(key, 'next', NOW * 1000 + 2000)
      await stores().connections.releaseLease(key, 'next', { lapsedAt: NOW * 1000 + 3000 })
      const late = { owner: 'sleeper again', now: NOW * 1000 + 1500, until: NOW * 1000 + 46_500 }
      expect(await stores().connections.acquireLease(key, late)).toMatchObject({ outcome: 'held' })
    })

    it('records a failure and releases the lease', async () => {
      const used = await connected(freshKey(), 'a')
      await claimed(used.companyKey, 'me')
      await stores().connections.fail(used, 'me', failure(), 'free', 'unavailable')
      const read = await stores().connections.read(used.companyKey, NOW)
      expect(read).toMatchObject({ failure: failure(), lease: undefined, accessToken: 'access-a', generation: 1 })
    })

    it('keeps nothing of an earlier failure in a later one, and the outcome of the attempt in the history', async () => {
      const used = await connected(freshKey(), 'a')
      await claimed(used.companyKey, 'me')
      const rejected = failure({
        reason: 'invalid_client',
        intuitError: 'invalid_client',
        client: 'digest',
        notBefore: NOW,
      })
      await stores().connections.fail(used, 'me', rejected, 'free', 'invalid_client')
      expect((await claimed(used.companyKey, 'me')).connection.failure).toEqual(rejected)
      const bare = failure({ intuitTid: undefined })
      await stores().connections.fail(used, 'me', bare, 'free', 'request_rejected')
      const read = await stores().connections.read(used.companyKey, NOW)
      expect(read).toMatchObject({ failure: bare, refreshes: [{ outcome: 'request_rejected', at: NOW, count: 1 }] })
    })

    it('ignores a failure of a token that was replaced, or of a lease that was lost', async () => {
      const used = await connected(freshKey(), 'a')
      await claimed(used.companyKey, 'other')
      await stores().connections.fail(used, 'me', failure(), 'free', 'unavailable')
      await replaced(used, 'b')
      await claimed(used.companyKey, 'me')
      await stores().connections.fail(used, 'me', failure(), 'free', 'unavailable')
      expect(await stores().connections.read(used.companyKey, NOW)).toMatchObject({
        failure: undefined,
        generation: 2,
      })
    })
  })

  describe('states', () => {
    const by = (id: string, now: number) => ({ id, at: now * 1000 })
    const state = (nonce: string) => ({
      ...{ nonce, companyKey: 'beach-blend', companyName: undefined, environment: 'sandbox' as const },
      binding: { idTokenNonce: 'id-token-nonce', codeVerifier: 'verifier' },
      ...{ browserHash: undefined, link: undefined, createdAt: NOW, expiresAt: NOW + 600 },
    })

    it('claims a state once, and again only with the same claim id', async () => {
      await stores().states.put(state('once'))
      expect(await stores().states.claim('once', 'beach-blend', by('me', NOW))).toEqual(state('once'))
      expect(await stores().states.claim('once', 'beach-blend', by('me', NOW))).toEqual(state('once'))
      expect(await stores().states.claim('once', 'beach-blend', by('other', NOW))).toBeUndefined()
    })

    it('keeps with a state which signed link was opened', async () => {
      const signed = { ...state('signed'), link: { expiresAt: NOW + 60, kid: 'a' } }
      await stores().states.put(signed)
      expect(await stores().states.claim('signed', 'beach-blend', by('me', NOW))).toEqual(signed)
    })

    it('binds a state to its browser, and no other browser can use it', async () => {
      const bound = { ...state('bound'), browserHash: 'hash' }
      await stores().states.put(bound)
      expect(await stores().states.claim('bound', 'beach-blend', by('other', NOW))).toBeUndefined()
      expect(await stores().states.claim('bound', 'beach-blend', by('other', NOW), 'another hash')).toBeUndefined()
      expect(await stores().states.claim('bound', 'beach-blend', by('me', NOW), 'hash')).toEqual(bound)
    })

    it('refuses an unknown, a foreign and an expired state', async () => {
      await stores().states.put(state('kept'))
      expect(await stores().states.claim('unknown', 'beach-blend', by('me', NOW))).toBeUndefined()
      expect(await stores().states.claim('kept', 'other-company', by('me', NOW))).toBeUndefined()
      expect(await stores().states.claim('kept', 'beach-blend', by('me', NOW + 600))).toBeUndefined()
      expect(await stores().states.claim('kept', 'beach-blend', by('me', NOW + 599))).toEqual(state('kept'))
    })
  })
}

describe('the fake', () => {
  const stores = createMemoryStores()
  promises(() => stores)
})

describe('the table', () => {
  let close: () => Promise<void>
  let table: DynamoDb
  beforeAll(async () => {
    const engine = await startDynamoDb({})
    close = engine.close
    await createTable(adminClient(engine.url), testStorage(engine.url).table)
    table = createDynamoDb(() => testStorage(engine.url), realRuntime)
  })
  afterAll(() => close())

  promises(() => ({ connections: createConnectionStore(table), states: createStateStore(table) }))

  it('reads and refreshes a record written by hand with the reference’s attributes alone', async () => {
    await table.putItem({
      Item: {
        pk: { S: 'connection#by-hand' },
        access_token: { S: 'access-a' },
        refresh_token: { S: 'refresh-a' },
        realm_id: { S: '9130347596842384926' },
        access_token_expires_at: { N: String(NOW) },
      },
    })
    const connections = createConnectionStore(table)
    const read = await connections.read('by-hand', NOW)
    if (!read) throw new Error('absent')
    expect(read).toMatchObject({ companyName: 'by-hand', realmId: '9130347596842384926', generation: 0 })
    const successor = { pair: pair('b'), rotated: true, now: NOW, writer: 'me' }
    expect(await connections.replace(read, successor, 'free')).toMatchObject({
      generation: 1,
      refreshToken: 'refresh-b',
    })
    expect(await connections.replace(read, { ...successor, writer: 'other' }, 'free')).toBeUndefined()
  })

  it('queries and deletes', async () => {
    const values = { ':pk': { S: 'connection#to-go' } }
    await table.putItem({ Item: { pk: { S: 'connection#to-go' }, generation: { N: '1' } } })
    const query = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: values }
    expect((await table.query(query)).items).toHaveLength(1)
    const condition = { ConditionExpression: 'generation = :g', ExpressionAttributeValues: { ':g': { N: '2' } } }
    expect(await table.deleteItem({ Key: { pk: { S: 'connection#to-go' } }, ...condition })).toMatchObject({
      refused: true,
    })
    expect(await table.deleteItem({ Key: { pk: { S: 'connection#to-go' } } })).toMatchObject({ refused: false })
    expect(await table.query(query)).toMatchObject({ items: [], lastKey: undefined })
  })
})
