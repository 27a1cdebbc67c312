import { describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/broker/connection.ts'
import { storeConsent } from '../../../src/broker/consent/store-consent.ts'
import type { LogEvent } from '../../../src/broker/ports/runtime.ts'
import type { Consent } from '../../../src/broker/ports/storage.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

const AT = 1_790_000_000_000
const target = { companyKey: 'beach', environment: 'production' as const, realmId: '1', isInvited: false }
const tokenPair = (name: string) => ({
  ...{ accessToken: `access ${name}`, accessTokenExpiresAt: AT / 1000 + 3600, refreshToken: `refresh ${name}` },
  ...{ refreshTokenExpiresAt: AT / 1000 + 9000, refreshTokenHardExpiresAt: undefined },
  refreshTokenHash: `hash ${name}`,
})
const createConsent = (name: string, over: Partial<Consent> = {}): Consent => ({
  ...{ companyName: 'Beach', environment: 'production', realmId: '1', pair: tokenPair(name), at: AT, writer: name },
  ...over,
})

/** Stores the consent `ours`. The table returns these records one after the other, then the last one again and again. */
const store = async (answers: [Connection, ...Connection[]]) => {
  let now = AT
  let writes = 0
  const revoked: string[] = []
  const events: LogEvent[] = []
  const failures: number[] = []
  const deps = {
    connections: {
      ...createMemoryStores().connections,
      connect: async () => answers[Math.min(writes++, answers.length - 1)] ?? answers[0],
    },
    intuit: {
      revoke: async (_: string, token: string) => {
        revoked.push(token)
        return { outcome: 'revoked' as const, intuitTid: undefined }
      },
    },
    runtime: {
      now: () => now,
      sleep: async (ms: number) => {
        now += ms
      },
      random: () => 0.5,
      nonce: () => 'nonce',
    },
    log: (event: LogEvent) => events.push(event),
    limit: { addAtRisk: () => undefined },
  }
  const result = await storeConsent(deps, {
    ...{ target, consent: createConsent('ours'), refreshToken: 'refresh ours', deadline: AT + 5_000 },
    onFailure: () => failures.push(now),
  }).catch((error: unknown) => error)
  return { result, revoked, failures: failures.length }
}

/** The record after these consents, in their order. */
const recordAfter = async (...consents: Consent[]): Promise<Connection> => {
  const { connections } = createMemoryStores()
  for (const consent of consents) await connections.connect('beach', consent)
  const connection = await connections.read('beach', AT / 1000)
  if (!connection) throw new Error('absent')
  return connection
}
const erased = (connection: Connection, at: number): Connection => ({
  ...connection,
  ...{ accessToken: undefined, refreshToken: undefined, lastChange: { at, by: 'eraser' } },
})

describe('storing the token pair of a consent', () => {
  it('succeeds if the record has its tokens, or was refreshed since', async () => {
    const own = await recordAfter(createConsent('ours'))
    const refreshed = { ...own, generation: 2, writtenBy: 'refresh', refreshToken: 'newer' }
    for (const connection of [own, refreshed]) {
      expect((await store([connection])).result).toEqual({ stored: connection })
    }
  })

  it('succeeds if the tokens of a later consent of the company are stored', async () => {
    const later = await recordAfter(createConsent('later', { at: AT + 1 }))
    expect((await store([later])).result).toEqual({ stored: later })
  })

  it('retries, and never reports success, while the record has the tokens of an earlier consent', async () => {
    const earlier = await recordAfter(createConsent('earlier', { at: AT - 1 }))
    const own = await recordAfter(createConsent('ours'))
    const { result, failures, revoked } = await store([earlier, own])
    expect(result).toEqual({ stored: own })
    expect({ failures, revoked }).toEqual({ failures: 1, revoked: [] })
    const never = await store([earlier])
    expect(never.result).toMatchObject({ code: 'storage_unavailable' })
    expect(never.revoked).toEqual([])
  })

  it('retries a refused write if the record gives no reason for it, also if the record was written by hand', async () => {
    const own = await recordAfter(createConsent('ours'))
    const byHand = { ...own, lastChange: undefined }
    for (const refusing of [byHand, erased(own, AT - 1), { ...erased(own, 0), lastChange: undefined }]) {
      expect((await store([refusing, own])).result).toEqual({ stored: own })
    }
  })

  it('fails and revokes nothing if the key is connected to another company', async () => {
    const other = await recordAfter(createConsent('other', { realmId: '2', at: AT + 1 }))
    const { result, revoked } = await store([other])
    expect(result).toMatchObject({ refused: { code: 'realm_mismatch' }, connection: other })
    expect(revoked).toEqual([])
  })

  it('revokes the tokens if the company was disconnected in the meantime', async () => {
    const gone = erased(await recordAfter(createConsent('other')), AT + 1)
    const { result, revoked } = await store([gone])
    expect(result).toMatchObject({ refused: { code: 'connection_not_found' } })
    expect(revoked).toEqual(['refresh ours'])
  })
})
