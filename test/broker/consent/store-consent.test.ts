import { describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/broker/connection.ts'
import { createStoreConsent } from '../../../src/broker/consent/store-consent.ts'
import type { LogEvent } from '../../../src/broker/ports/runtime.ts'
import type { Consent } from '../../../src/broker/ports/storage.ts'
import { memoryConnections } from '../../support/memory-stores.ts'

const AT = 1_790_000_000_000
const arrival = { companyKey: 'beach', environment: 'production' as const, realmId: '1' }
const pairOf = (name: string) => ({
  ...{ accessToken: `access ${name}`, accessTokenExpiresAt: AT / 1000 + 3600, refreshToken: `refresh ${name}` },
  ...{ refreshTokenExpiresAt: AT / 1000 + 9000, refreshTokenHardExpiresAt: undefined },
  refreshTokenHash: `hash ${name}`,
})
const consentOf = (name: string, over: Partial<Consent> = {}): Consent => ({
  ...{ companyName: 'Beach', environment: 'production', realmId: '1', pair: pairOf(name), at: AT, writer: name },
  ...over,
})

/** A record after the write of the consent `ours`: each answer in its turn, the last one again and again. */
const storing = async (answers: [Connection, ...Connection[]]) => {
  let now = AT
  let writes = 0
  const revoked: string[] = []
  const events: LogEvent[] = []
  const failures: number[] = []
  const { store } = memoryConnections()
  const storeConsent = createStoreConsent({
    connections: { ...store, connect: async () => answers[Math.min(writes++, answers.length - 1)] ?? answers[0] },
    intuit: {
      revoke: async (_, token) => {
        revoked.push(token)
        return { outcome: 'revoked', intuitTid: undefined }
      },
    },
    runtime: {
      now: () => now,
      sleep: async (ms) => {
        now += ms
      },
      random: () => 0.5,
      nonce: () => 'nonce',
    },
    log: (event) => events.push(event),
    limit: { noteAtRisk: () => undefined },
  })
  const verdict = await storeConsent({
    ...{ arrival, consent: consentOf('ours'), refreshToken: 'refresh ours', deadline: AT + 5_000 },
    onFailure: () => failures.push(now),
  }).catch((error: unknown) => error)
  return { verdict, revoked, failures: failures.length }
}

/** What the table holds after these consents, in their order. */
const recordAfter = async (...consents: Consent[]): Promise<Connection> => {
  const { store } = memoryConnections()
  for (const consent of consents) await store.connect('beach', consent)
  const connection = await store.read('beach', AT / 1000)
  if (!connection) throw new Error('absent')
  return connection
}
const erased = (connection: Connection, at: number): Connection => ({
  ...connection,
  ...{ accessToken: undefined, refreshToken: undefined, lastChange: { at, by: 'eraser' } },
})

describe('the pair of a consent', () => {
  it('is stored where the record is its own, or was refreshed since', async () => {
    const own = await recordAfter(consentOf('ours'))
    const refreshed = { ...own, generation: 2, writtenBy: 'refresh', refreshToken: 'newer' }
    for (const connection of [own, refreshed]) {
      expect((await storing([connection])).verdict).toEqual({ stored: connection })
    }
  })

  it('gives way to a later consent of its company, whose tokens are stored', async () => {
    const later = await recordAfter(consentOf('later', { at: AT + 1 }))
    expect((await storing([later])).verdict).toEqual({ stored: later })
  })

  it('is never reported as stored where an earlier consent’s tokens are: it is tried again', async () => {
    const earlier = await recordAfter(consentOf('earlier', { at: AT - 1 }))
    const own = await recordAfter(consentOf('ours'))
    const { verdict, failures, revoked } = await storing([earlier, own])
    expect(verdict).toEqual({ stored: own })
    expect({ failures, revoked }).toEqual({ failures: 1, revoked: [] })
    const never = await storing([earlier])
    expect(never.verdict).toMatchObject({ code: 'storage_unavailable' })
    expect(never.revoked).toEqual([])
  })

  it('is tried again where the record has room for it, and says of a hand-written one nothing else', async () => {
    const own = await recordAfter(consentOf('ours'))
    const byHand = { ...own, lastChange: undefined }
    for (const refusing of [byHand, erased(own, AT - 1), { ...erased(own, 0), lastChange: undefined }]) {
      expect((await storing([refusing, own])).verdict).toEqual({ stored: own })
    }
  })

  it('is refused, with nothing revoked, where the key is connected to another company', async () => {
    const other = await recordAfter(consentOf('other', { realmId: '2', at: AT + 1 }))
    const { verdict, revoked } = await storing([other])
    expect(verdict).toMatchObject({ refused: { code: 'realm_mismatch' }, connection: other })
    expect(revoked).toEqual([])
  })

  it('is revoked where the company was disconnected meanwhile', async () => {
    const gone = erased(await recordAfter(consentOf('other')), AT + 1)
    const { verdict, revoked } = await storing([gone])
    expect(verdict).toMatchObject({ refused: { code: 'connection_not_found' } })
    expect(revoked).toEqual(['refresh ours'])
  })
})
