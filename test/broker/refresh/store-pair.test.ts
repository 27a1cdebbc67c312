import { describe, expect, it } from 'vitest'
import type { LogEvent } from '../../../src/broker/ports/runtime.ts'
import type { ConnectionStore } from '../../../src/broker/ports/storage.ts'
import { createRefreshLimit } from '../../../src/broker/refresh/concurrency-limit.ts'
import { storeTokenPair } from '../../../src/broker/refresh/store-pair.ts'
import { DEFAULT_TIMING } from '../../../src/broker/timing.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

const NOW = 1_790_000_000
const pair = (name: string) => ({
  ...{ accessToken: `access-${name}`, accessTokenExpiresAt: NOW + 3600, refreshToken: `refresh-${name}` },
  ...{ refreshTokenExpiresAt: NOW + 100, refreshTokenHardExpiresAt: undefined, refreshTokenHash: `hash-${name}` },
})

/** A pair to be stored, in a table whose answers to the write are scripted: it fails, or refuses. */
const storeWith = async (answers: ('fails' | 'refuses' | 'stores')[], { rotated = true, bound = true } = {}) => {
  const memory = createMemoryStores()
  const events: LogEvent[] = []
  const behind: Promise<unknown>[] = []
  let lateRejections = 0
  const consent = { companyName: 'Beach', environment: 'production' as const, realmId: '1' }
  const first = { ...consent, pair: pair('a'), at: NOW * 1000, writer: 'consent' }
  const used = await memory.connections.connect('beach', first)
  await memory.connections.acquireLease('beach', { owner: 'me', now: NOW * 1000, until: NOW * 1000 + 45_000 })
  const connections: ConnectionStore = {
    ...memory.connections,
    replace: async (...write) => {
      const answer = answers.shift() ?? 'stores'
      if (answer === 'fails') throw new Error('fails')
      return answer === 'refuses' ? undefined : memory.connections.replace(...write)
    },
  }
  let time = NOW * 1000
  const runtime = {
    ...{ now: () => time, random: () => 0.5, nonce: () => 'nonce' },
    sleep: async (milliseconds: number) => {
      time += milliseconds
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
  const deps = {
    ...{ connections, rescue: bound ? memory.rescue : undefined, runtime },
    limit: createRefreshLimit({ runtime, timing: () => DEFAULT_TIMING }),
    log: (event: LogEvent) => events.push(event),
  }
  const answered = await storeTokenPair(deps, {
    ...{ used, usedTokenHash: 'hash-a', leaseEnd: 'free', deadline: NOW * 1000 + 25_000, patienceMs: 5_000 },
    successor: { pair: pair(rotated ? 'b' : 'a'), rotated, now: NOW, writer: 'me' },
    waitUntil: (promise) => behind.push(promise),
    onLateRejection: async () => lateRejections++,
  })
  const atAnswer = { parked: memory.parked.size, stored: memory.rows.get('beach')?.connection.generation }
  await Promise.all(behind)
  return {
    answered,
    atAnswer,
    events,
    parked: memory.parked,
    lateRejections,
    stored: memory.rows.get('beach')?.connection,
  }
}

describe('storing what Intuit gave', () => {
  it('stores before it answers, and parks nothing', async () => {
    const { answered, atAnswer, events } = await storeWith(['stores'])
    expect(answered).toMatchObject({ generation: 2, refreshTokenHash: 'hash-b' })
    expect(atAnswer).toEqual({ parked: 0, stored: 2 })
    expect(events).toEqual([])
  })

  it('parks a rotated pair at the first failed write, stores it in the background, and removes the parked copy', async () => {
    const { answered, atAnswer, parked, stored } = await storeWith(Array(6).fill('fails'))
    expect(answered).toMatchObject({ generation: 2, accessToken: 'access-b' })
    expect(atAnswer.parked).toBe(1)
    expect(stored).toMatchObject({ generation: 2, refreshTokenHash: 'hash-b' })
    expect(parked.size).toBe(0)
  })

  it('keeps the parked pair where the table does not come back in time, and says so', async () => {
    const { stored, parked, events } = await storeWith(Array(500).fill('fails'))
    expect(stored).toMatchObject({ generation: 1 })
    expect(parked.size).toBe(1)
    expect(events.at(-1)).toEqual({ event: 'pair_not_stored', company_key: 'beach', parked: true })
  })

  it('says in the log of a failed write that there is no rescue store', async () => {
    const { events } = await storeWith(['fails'], { bound: false })
    expect(events).toEqual([{ event: 'pair_write_failed', company_key: 'beach', rescue: 'not bound' }])
  })

  it('parks nothing that is not rotated: the record holds its refresh token already', async () => {
    const { answered, atAnswer } = await storeWith(['fails', 'fails'], { rotated: false })
    expect(answered).toMatchObject({ accessToken: 'access-a', generation: 2 })
    expect(atAnswer.parked).toBe(0)
  })

  it('reports a rejected write to a caller that waits, and settles it in the background for one that has its response', async () => {
    expect(await storeWith(['refuses'])).toMatchObject({ answered: undefined, lateRejections: 0 })
    const late = await storeWith([...Array<'fails'>(6).fill('fails'), 'refuses'])
    expect(late).toMatchObject({ answered: { accessToken: 'access-b' }, lateRejections: 1 })
  })
})
