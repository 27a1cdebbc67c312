import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDynamoDb } from '../../dev/dynamodb.ts'
import { createTable } from '../../dev/table.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { ConnectionStore, DisconnectionStore } from '../../src/broker/ports/storage.ts'
import { readConfig } from '../../src/config/config.ts'
import { createTokenVault } from '../../src/crypto/token-vault.ts'
import { parseConnection } from '../../src/storage/connection-item.ts'
import { createConnectionStore } from '../../src/storage/connection-store.ts'
import { createDisconnectionStore } from '../../src/storage/disconnection-store.ts'
import { createDynamoDb, type DynamoDb } from '../../src/storage/dynamodb.ts'
import { adminClient, realRuntime, testStorage } from '../support/engine.ts'
import { createMemoryStores } from '../support/memory-stores.ts'
import { type Service, startService } from '../support/worker-harness.ts'

/*
 * A record may be written by hand. Whatever one of its attributes holds, the conditions of the table must judge it as
 * the reader does. The stores in memory know nothing but what the reader read: both must come to the same end.
 */

type Item = Record<string, AttributeValue>

const NOW = 1_790_000_000
const REALM = '9130347596842384926'

const ODD: [string, AttributeValue][] = [
  ['NULL', { NULL: true }],
  ['an empty string', { S: '' }],
  ['a number', { N: '1' }],
  ['a number with a fraction', { N: '1.5' }],
  ['true', { BOOL: true }],
  ['false', { BOOL: false }],
  ['a string', { S: 'true' }],
  ['a string with blanks around it', { S: ` ${REALM}\r\n` }],
  ['the realm as a number', { N: REALM }],
  ['a list', { L: [] }],
  ['a map', { M: { a: { S: 'b' } } }],
]
const ATTRIBUTES = [
  ...['realm_id', 'uses_sandbox_credentials', 'access_token', 'refresh_token', 'access_token_expires_at'],
  ...['generation', 'refresh_token_hash', 'written_by', 'connected_at', 'connected_by', 'created_at', 'company_name'],
  ...['lease_owner', 'lease_until', 'failure_code', 'expires_at', 'disconnected_at', 'revocation', 'refreshes'],
]
const CASES = ATTRIBUTES.flatMap((name) => ODD.map(([what, value]) => [name, what, value] as const))

/** The two kinds of record that people write: a connection in use, and one without tokens. */
const RECORDS: Record<string, Item> = {
  'with tokens': {
    ...{ access_token: { S: 'access-a' }, refresh_token: { S: 'refresh-a' }, realm_id: { S: REALM } },
    access_token_expires_at: { N: String(NOW) },
  },
  'without tokens': { realm_id: { S: REALM } },
}

interface Stores {
  connections: ConnectionStore
  disconnections: DisconnectionStore
}

const pair = {
  ...{ accessToken: 'access-b', accessTokenExpiresAt: NOW + 3600, refreshToken: 'refresh-b' },
  ...{ refreshTokenExpiresAt: NOW + 9000, refreshTokenHardExpiresAt: undefined, refreshTokenHash: 'hash-b' },
}
const consent = {
  ...{ companyName: 'Beach', environment: 'production' as const, realmId: REALM, pair },
  ...{ at: NOW * 1000, writer: 'consent' },
}
const successor = { pair, now: NOW, writer: 'holder' }

/** Every write of a record, made of what was read just before. */
const WRITES: Record<string, (stores: Stores, read: Connection) => Promise<unknown>> = {
  begin: ({ connections }, { companyKey }) =>
    connections.begin(companyKey, {
      ...{ companyName: 'Beach', environment: 'production', now: NOW, expiresAt: NOW + 60 },
    }),
  connect: ({ connections }, read) => connections.connect(read.companyKey, { ...consent, after: read.lastChange }),
  'connect by a signed link': ({ connections }, read) =>
    connections.connect(read.companyKey, { ...consent, isInvited: true, after: read.lastChange }),
  'connect another company': ({ connections }, read) =>
    connections.connect(read.companyKey, { ...consent, realmId: '1234', after: read.lastChange }),
  'connect the sandbox': ({ connections }, read) =>
    connections.connect(read.companyKey, { ...consent, environment: 'sandbox', after: read.lastChange }),
  claim: ({ connections }, { companyKey }) =>
    connections.acquireLease(companyKey, { owner: 'holder', now: NOW * 1000, until: NOW * 1000 + 45_000 }),
  'replace, rotated': ({ connections }, read) => connections.replace(read, { ...successor, rotated: true }, 'free'),
  'replace, kept': async ({ connections }, { companyKey }) => {
    const claim = { owner: 'holder', now: NOW * 1000, until: NOW * 1000 + 45_000 }
    const claimed = await connections.acquireLease(companyKey, claim)
    return claimed.outcome === 'acquired'
      ? connections.replace(claimed.connection, { ...successor, rotated: false }, 'free')
      : claimed.outcome
  },
  fail: async ({ connections }, { companyKey }) => {
    const claim = { owner: 'holder', now: NOW * 1000, until: NOW * 1000 + 45_000 }
    const claimed = await connections.acquireLease(companyKey, claim)
    if (claimed.outcome !== 'acquired') return claimed.outcome
    const failure = {
      ...{ reason: 'unavailable' as const, intuitError: undefined, intuitTid: undefined, notBefore: undefined },
      ...{ client: undefined, count: 1, since: NOW, at: NOW, retryAt: NOW },
    }
    return connections.fail(claimed.connection, 'holder', failure, 'free', 'unavailable')
  },
  erase: ({ disconnections }, read) =>
    disconnections.erase(read, { writer: 'eraser', at: NOW * 1000, tokenToRevoke: read.refreshToken }),
}

/** What a write came to, as far as conditions decide it. */
const ends = (connection: Connection | undefined) =>
  connection && {
    ...{ accessToken: connection.accessToken, refreshToken: connection.refreshToken, realmId: connection.realmId },
    ...{ generation: connection.generation, by: connection.lastChange?.by || undefined, failure: connection.failure },
    ...{
      environment: connection.environment,
      lease: connection.lease,
      isDisconnected: connection.disconnection !== undefined,
    },
  }

describe('a condition agrees with the reader of the record', () => {
  let table: DynamoDb
  let close: () => Promise<void>
  let keys = 0
  beforeAll(async () => {
    const engine = await startDynamoDb({})
    close = engine.close
    await createTable(adminClient(engine.url), testStorage(engine.url).table)
    table = createDynamoDb(() => testStorage(engine.url), realRuntime)
  })
  afterAll(() => close())

  const inTable = async (item: Item, write: (stores: Stores, read: Connection) => Promise<unknown>) => {
    const companyKey = `company-${++keys}`
    await table.putItem({ Item: { ...item, pk: { S: `connection#${companyKey}` } } })
    const stores = {
      connections: createConnectionStore(table, () => undefined),
      disconnections: createDisconnectionStore(table),
    }
    const read = parseConnection(item, companyKey)
    await write(stores, read)
    const after = await table.getItem({ Key: { pk: { S: `connection#${companyKey}` } }, ConsistentRead: true })
    return { read, after: after && parseConnection(after, companyKey) }
  }

  const inMemory = async (read: Connection, write: (stores: Stores, read: Connection) => Promise<unknown>) => {
    const { connections, disconnections, rows } = createMemoryStores()
    rows.set(read.companyKey, { connection: read, expiresAt: undefined })
    await write({ connections, disconnections }, read)
    return rows.get(read.companyKey)?.connection
  }

  describe.each(Object.entries(RECORDS))('%s', (_, record) => {
    it.each(CASES)('whatever %s holds: %s', async (name, _what, value) => {
      for (const [operation, write] of Object.entries(WRITES)) {
        const { read, after } = await inTable({ ...record, [name]: value }, write)
        expect({ operation, ...ends(after) }).toEqual({ operation, ...ends(await inMemory(read, write)) })
      }
    })
  })
})

describe('a record written by hand', () => {
  let service: Service
  let keys = 0
  beforeAll(async () => {
    service = await startService({ vars: { TOKEN_CACHE_SECONDS: '0' } })
  })
  afterAll(() => service.close())

  const stored = async (key: string) => (await service.dynamo.item(`connection#${key}`)) ?? {}
  /** Connected at Intuit, and then written anew by hand with plain tokens. `undefined` takes an attribute away. */
  const written = async (realmId: string, change: (item: Item) => Record<string, AttributeValue | undefined>) => {
    const key = `by-hand-${++keys}`
    await service.connect(key, { realmId })
    const item = await stored(key)
    const { pk, realm_id, access_token, refresh_token, access_token_expires_at } = item
    const byHand = { pk, realm_id, access_token, refresh_token, access_token_expires_at, ...change(item) }
    const entries = Object.entries(byHand).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
    await service.dynamo.put(Object.fromEntries(entries))
    return key
  }
  const forced = (key: string) => service.api(`/api/token/${key}/refresh`, { method: 'POST' })
  const disconnected = (key: string) => service.api(`/api/connections/${key}`, { method: 'DELETE' })

  const NO_TOKENS = { access_token: undefined, refresh_token: undefined, access_token_expires_at: undefined }
  it.each<[string, (realmId: string) => Record<string, AttributeValue | undefined>]>([
    ['realm_id a number', (realmId) => ({ realm_id: { N: realmId } })],
    ['realm_id with a line end', (realmId) => ({ realm_id: { S: ` ${realmId}\n` } })],
    ['uses_sandbox_credentials NULL', () => ({ uses_sandbox_credentials: { NULL: true } })],
    ['uses_sandbox_credentials a string', () => ({ uses_sandbox_credentials: { S: 'false' } })],
    ['generation NULL', () => ({ generation: { NULL: true } })],
    ['generation a string', () => ({ generation: { S: '7' } })],
    ['no tokens, and realm_id NULL', () => ({ realm_id: { NULL: true }, ...NO_TOKENS })],
    ['NULL for tokens', () => ({ access_token: { NULL: true }, refresh_token: { NULL: true } })],
    ['no tokens, of another company', () => ({ realm_id: { S: '4711' }, ...NO_TOKENS })],
  ])('takes a consent that is reported, and the pair is stored: %s', async (_, change) => {
    const realmId = String(9_000 + keys)
    const key = await written(realmId, () => change(realmId))
    const before = (await stored(key))['refresh_token']
    expect((await service.connect(key, { realmId })).status).toBe(200)
    const after = await stored(key)
    expect(after['refresh_token']?.S).toMatch(/^sealed:v1:/)
    expect(after['refresh_token']).not.toEqual(before)
    expect(after).toMatchObject({ realm_id: { S: realmId }, uses_sandbox_credentials: { BOOL: false } })
    expect((await forced(key)).status).toBe(200)
  })

  it.each<[string, Record<string, AttributeValue | undefined>]>([
    ['access_token empty', { access_token: { S: '' } }],
    ['access_token NULL', { access_token: { NULL: true } }],
    ['access_token absent', { access_token: undefined }],
    ['generation NULL', { generation: { NULL: true } }],
    ['generation a string', { generation: { S: '7' } }],
    ['refresh_token NULL', { refresh_token: { NULL: true } }],
  ])('can be disconnected: %s', async (_, change) => {
    const key = await written(String(9_000 + keys), () => change)
    expect(await (await disconnected(key)).json()).toMatchObject({ disconnected: true, revocation: 'confirmed' })
    expect(await stored(key)).not.toHaveProperty('refresh_token')
  })

  /** The tokens themselves, as a person would paste them. */
  const pasted = async (around: (token: string) => string) => {
    const realmId = String(9_000 + keys)
    const key = `pasted-${++keys}`
    await service.connect(key, { realmId })
    const { pk, refresh_token, access_token } = await stored(key)
    if (!pk || !access_token?.S || !refresh_token?.S) throw new Error('not connected')
    const vault = createTokenVault(readConfig(service.vars).encryptionKeys, () => undefined)
    await service.dynamo.put({
      ...{ pk, realm_id: { S: realmId }, access_token_expires_at: { N: '1' } },
      access_token: { S: around(await vault.decrypt(key, 'access_token', access_token.S)) },
      refresh_token: { S: around(await vault.decrypt(key, 'refresh_token', refresh_token.S)) },
    })
    return key
  }

  it.each([
    ['blanks', (token: string) => `  ${token} `],
    ['a line end', (token: string) => `${token}\r\n`],
  ])('is used for what is meant where its tokens have %s around them', async (_, around) => {
    const key = await pasted(around)
    expect((await service.api(`/api/token/${key}`)).status).toBe(200)
    expect((await disconnected(key)).status).toBe(200)
  })

  it('is refused by name where a token holds what no token can, and nothing is sent to Intuit', async () => {
    const key = await pasted((token) => `${token.slice(0, 5)} ${token.slice(5)}`)
    const before = (await service.intuit.state()).counts.refresh
    const answer = await service.api(`/api/token/${key}`)
    expect(await answer.json()).toMatchObject({
      ...{ code: 'sealed_token_unreadable', detail: expect.stringContaining('refresh_token') },
    })
    expect((await service.intuit.state()).counts.refresh).toBe(before)
  })
})
