import type { Connection } from '../../src/broker/connection.ts'
import type { Vault } from '../../src/broker/ports/crypto.ts'
import type { AuthorizationServer } from '../../src/broker/ports/intuit.ts'
import type { LogEvent } from '../../src/broker/ports/runtime.ts'
import type { ConnectionStore, Rescue } from '../../src/broker/ports/storage.ts'
import type { Wanted } from '../../src/broker/tokens/get-token.ts'
import { fakeIntuit, UNAVAILABLE } from './fake-intuit.ts'
import { createConnection } from './fixtures.ts'
import { createMemoryBroker } from './memory-broker.ts'
import { createMemoryStores } from './memory-stores.ts'
import { type Scheduler, virtualTime } from './virtual-time.ts'

const START_MS = 1_790_000_000_000
const COMPANY = 'beach'

export type StepFault = 'none' | 'lost before' | 'lost after'

interface SimulationOptions {
  scheduler: Scheduler
  /** What goes wrong around one step of the table or the rescue store. */
  fault?: (operation: string) => StepFault
  /** How long the next step takes, in ms. */
  takes?: () => number
  /** Whether Intuit's answer to a granted presentation never arrives. */
  loses?: () => boolean
  /** Whether a lost answer is one that may still be under way. */
  hangs?: () => boolean
  /** How long after that it comes all the same, in ms; it never comes if absent. */
  comesLateAfter?: () => number
  rotates?: () => boolean
  /** Whether Intuit is out. */
  isOut?: () => boolean
  withoutRescue?: boolean
  /** The memory of each Worker is off if absent. */
  cacheSeconds?: () => number
  /** How many versions of the record the replica is behind at its next read. There is none if absent. */
  lag?: () => number
}

interface WorkerOptions {
  skewMs?: number
  /** The step at which it ends, as a machine ends. */
  crashesAt?: number | undefined
  /** The step at which it sleeps, and for how long. */
  stallsAt?: number | undefined
  stallMs?: number
}

/** Marks what it seals, so that a test sees where a stored token was taken for an opened one. */
const fakeVault: Vault = {
  encrypt: async (_companyKey, name, token) => `${name} sealed ${token}`,
  decrypt: async (_companyKey, name, stored) => stored.replace(`${name} sealed `, ''),
  digest: async (token) => `hash of ${token}`,
}

const never = () => new Promise<never>(() => undefined)

/**
 * Brokers over one table and one rescue store in memory, and one authorization server that dies on reuse. Every step of
 * each waits for the scheduler, which owns the order, and takes as long as it is told.
 */
export const simulated = (options: SimulationOptions) => {
  const {
    scheduler,
    fault = () => 'none',
    takes = () => 0,
    loses,
    hangs,
    comesLateAfter,
    rotates,
    isOut,
    withoutRescue,
  } = options
  const time = virtualTime(scheduler, START_MS)
  const stores = createMemoryStores()
  const events: LogEvent[] = []
  /** Presentations that were decided on although a successor of the token was stored or parked. */
  const following: string[] = []
  /** Those whose Worker had seen it when it last looked. */
  const knowing: string[] = []
  /** Those whose Worker's own clock said that its lease had lapsed. */
  const late: string[] = []
  const operations: string[] = []
  /** The record as it was, the oldest first. */
  const versions: (Connection | undefined)[] = []
  let nonces = 0

  const intuit = fakeIntuit({
    now: () => Math.floor(time.now() / 1000),
    delay: (when) => time.step(`intuit ${when}`, takes()),
    ...(loses ? { loses } : {}),
    ...(hangs ? { hangs } : {}),
    ...(comesLateAfter ? { comesLate: () => time.sleep(comesLateAfter()).then(() => true) } : {}),
    ...(rotates ? { rotates } : {}),
    ...(isOut ? { isOut } : {}),
  })
  const stored = () => stores.rows.get(COMPANY)?.connection
  const noteVersion = () => {
    if (versions.at(-1) !== stored()) versions.push(stored())
  }

  /** Whether another token than the spent one is stored, or parked as its successor. */
  const hasSuccessor = (hash: string) =>
    stored()?.refreshTokenHash !== hash || stores.parked.get(`${COMPANY} ${hash}`)?.rotated === true

  /** One Worker: what it does is a row of steps, and it may end or sleep at any of them. */
  const worker = ({ skewMs = 0, crashesAt, stallsAt, stallMs = 0 }: WorkerOptions = {}) => {
    let steps = 0
    let crashed = false
    /** Whether Intuit gave it a pair that it has neither stored nor parked. */
    let holdsUnkept = false
    let lastSeen: string | undefined
    let leaseUntil = 0
    const step = async (label: string) => {
      const count = ++steps
      if (crashed || count === crashesAt) {
        crashed = true
        return never()
      }
      await time.step(label, takes() + (count === stallsAt ? stallMs : 0))
      return crashed ? never() : undefined
    }

    /** A store behind a network: each call is a step before and a step after, and may be lost at either. */
    const remote =
      <Arguments extends unknown[], Result>(operation: string, call: (...args: Arguments) => Promise<Result>) =>
      async (...args: Arguments): Promise<Result> => {
        operations.push(operation)
        const what = fault(operation)
        await step(`${operation} sent`)
        if (what === 'lost before') throw new Error(`${operation} lost before`)
        const result = await call(...args)
        noteVersion()
        if (operation === 'read' || operation === 'claim') lastSeen = stored()?.refreshTokenHash
        if (operation === 'park' || (operation === 'replace' && result !== undefined)) holdsUnkept = false
        await step(`${operation} answered`)
        if (what === 'lost after') throw new Error(`${operation} lost after`)
        return result
      }
    const connections: ConnectionStore = {
      read: remote('read', stores.connections.read),
      begin: remote('begin', stores.connections.begin),
      connect: remote('connect', stores.connections.connect),
      claim: remote('claim', (companyKey, claim) => {
        leaseUntil = claim.until
        return stores.connections.claim(companyKey, claim)
      }),
      release: remote('release', stores.connections.release),
      replace: remote('replace', stores.connections.replace),
      fail: remote('fail', stores.connections.fail),
    }
    const replica = async () => {
      const version = versions.at(-1 - (options.lag?.() ?? 0))
      return version && { ...version }
    }
    const rescueStore: Rescue = {
      park: remote('park', stores.rescue.park),
      find: remote('find', stores.rescue.find),
      remove: remote('remove', stores.rescue.remove),
    }
    const authorizationServer: AuthorizationServer = {
      clientDigest: async () => 'client',
      authorizationUrl: () => '',
      exchange: () => Promise.reject(new Error('not simulated')),
      refresh: async (_, token, guard) => {
        if (!guard.mayUse()) return { answer: UNAVAILABLE, late: undefined }
        const hash = `hash of ${token}`
        if (hasSuccessor(hash)) following.push(token)
        if (lastSeen !== hash) knowing.push(token)
        if (time.now() + skewMs > leaseUntil) late.push(token)
        await step('refresh sent')
        const used = await intuit.refresh(token)
        if (used.answer.ok) holdsUnkept = true
        await step('refresh answered')
        return used
      },
      revoke: () => Promise.reject(new Error('not simulated')),
    }
    const broker = createMemoryBroker({
      ...stores,
      connections,
      replicas: options.lag && { read: remote('near read', replica) },
      rescue: withoutRescue ? undefined : rescueStore,
      intuit: authorizationServer,
      vault: fakeVault,
      runtime: {
        now: () => time.now() + skewMs,
        sleep: async (ms) => (crashed ? never() : time.sleep(ms)),
        random: () => 0.5,
        nonce: () => `nonce-${++nonces}`,
      },
      log: (event) => events.push(event),
      cacheSeconds: options.cacheSeconds ?? (() => 0),
    })
    const waitUntil = () => undefined
    const from = () => ({ continent: 'EU', longitude: 10 })
    const freshToken = async (wanted: Wanted) => (await broker.freshToken(COMPANY, wanted, waitUntil)).token
    return {
      read: (minTtlSeconds = 0) => freshToken({ minTtlSeconds, fromTable: false, from }),
      readFromTable: () => freshToken({ minTtlSeconds: 0, fromTable: true, from }),
      /** As the cron does, for what was not refreshed since. */
      refreshIdle: (notSince: number) => broker.refreshIdle(COMPANY, notSince, waitUntil),
      force: (generations?: number[]) => broker.refreshedToken(COMPANY, generations, waitUntil),
      /** Ended with a pair in hand that nobody else has. */
      tookPairAlong: () => crashed && holdsUnkept,
    }
  }

  const seed = (over: Partial<Connection> = {}) => {
    const connection = createConnection({
      ...{ companyKey: COMPANY, companyName: 'Beach', realmId: '1' },
      ...{ accessToken: 'access_token sealed access-0', accessTokenExpiresAt: START_MS / 1000 - 1 },
      ...{ refreshToken: 'refresh_token sealed refresh-0', refreshTokenExpiresAt: START_MS / 1000 + 8_000_000 },
      ...{ createdAt: 1, updatedAt: 1, lastRefreshAt: 1, generation: 1, refreshTokenHash: 'hash of refresh-0' },
      writtenBy: 'connect',
      ...over,
    })
    stores.rows.set(COMPANY, { connection, expiresAt: undefined })
    noteVersion()
  }
  seed()

  /** Runs all to its end. What a crashed Worker was asked stays unanswered. */
  const outcomes = async <Result>(calls: Promise<Result>[]) => {
    const settled = new Map<number, PromiseSettledResult<Result>>()
    calls.forEach((call, index) => {
      call.then(
        (value) => settled.set(index, { status: 'fulfilled', value }),
        (reason: unknown) => settled.set(index, { status: 'rejected', reason }),
      )
    })
    await time.drive()
    return calls.map((_, index) => settled.get(index))
  }

  /** Begins something later, while the rest goes on. */
  const later = async <Result>(ms: number, begin: () => Promise<Result>): Promise<Result> => {
    await time.sleep(ms)
    return begin()
  }

  return {
    worker,
    intuit,
    events,
    following,
    knowing,
    late,
    operations,
    seed,
    stored,
    parked: stores.parked,
    outcomes,
    later,
    pass: time.pass,
    now: time.now,
  }
}
