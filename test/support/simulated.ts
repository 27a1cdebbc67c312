import type { Connection } from '../../src/broker/connection.ts'
import type { Vault } from '../../src/broker/ports/crypto.ts'
import type { AuthorizationServer } from '../../src/broker/ports/intuit.ts'
import type { LogEvent } from '../../src/broker/ports/runtime.ts'
import type { ConnectionStore, Rescue } from '../../src/broker/ports/storage.ts'
import type { Wanted } from '../../src/broker/tokens/get-token.ts'
import { createFakeIntuit, UNAVAILABLE } from './fake-intuit.ts'
import { createConnection } from './fixtures.ts'
import { createMemoryBroker } from './memory-broker.ts'
import { createMemoryStores } from './memory-stores.ts'
import { createVirtualTime, type Scheduler } from './virtual-time.ts'

const START_MS = 1_790_000_000_000
const COMPANY = 'beach'

export type StepFault = 'none' | 'lost before' | 'lost after'

interface SimulationOptions {
  scheduler: Scheduler
  /** The fault at one step of the table or the rescue store. */
  fault?: (operation: string) => StepFault
  /** The duration of the next step, in ms. */
  takes?: () => number
  /** Whether a response with a token pair is lost. */
  loses?: () => boolean
  /** Whether a lost response may still arrive late. */
  hangs?: () => boolean
  /** The delay of a late response, in ms. Default: it never arrives. */
  comesLateAfter?: () => number
  rotates?: () => boolean
  /** Whether Intuit has an outage. */
  isOut?: () => boolean
  withoutRescue?: boolean
  /** The lifetime of the token cache of each Worker. Default: no cache. */
  cacheSeconds?: () => number
  /** The number of versions that the replica is behind at its next read. Default: there is no replica. */
  lag?: () => number
}

interface WorkerOptions {
  skewMs?: number
  /** The step at which the Worker ends without cleanup. */
  crashesAt?: number | undefined
  /** The step at which the Worker stalls. */
  stallsAt?: number | undefined
  stallMs?: number
}

/** Marks encrypted tokens, so that a test detects a stored token that was not decrypted. */
const fakeVault: Vault = {
  encrypt: async (_companyKey, name, token) => `${name} sealed ${token}`,
  decrypt: async (_companyKey, name, stored) => stored.replace(`${name} sealed `, ''),
  digest: async (token) => `hash of ${token}`,
}

const never = () => new Promise<never>(() => undefined)

/**
 * Brokers over one table and one rescue store in memory, and an authorization server that ends the connection when a
 * superseded token is used again. Every step waits for the scheduler, which chooses the order.
 */
export const createSimulation = (options: SimulationOptions) => {
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
  const time = createVirtualTime(scheduler, START_MS)
  const stores = createMemoryStores()
  const events: LogEvent[] = []
  /** Tokens that were used although a successor was stored or parked. */
  const following: string[] = []
  /** Tokens that were used by a Worker whose last read showed another token. */
  const knowing: string[] = []
  /** Tokens that were used after the lease had lapsed by the Worker's own clock. */
  const late: string[] = []
  const operations: string[] = []
  /** All versions of the record, the oldest first. */
  const versions: (Connection | undefined)[] = []
  let nonces = 0

  const intuit = createFakeIntuit({
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

  /** Whether another token than the used one is stored, or parked as its successor. */
  const hasSuccessor = (hash: string) =>
    stored()?.refreshTokenHash !== hash || stores.parked.get(`${COMPANY} ${hash}`)?.rotated === true

  /** One Worker. It may crash or stall at any of its steps. */
  const worker = ({ skewMs = 0, crashesAt, stallsAt, stallMs = 0 }: WorkerOptions = {}) => {
    let steps = 0
    let crashed = false
    /** Whether the Worker has a token pair that it neither stored nor parked. */
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

    /** A store behind a network: each call is a step before and a step after it, and may be lost at both. */
    const remote =
      <Arguments extends unknown[], Result>(operation: string, call: (...args: Arguments) => Promise<Result>) =>
      async (...args: Arguments): Promise<Result> => {
        operations.push(operation)
        const what = fault(operation)
        await step(`${operation} sent`)
        if (what === 'lost before') throw new Error(`${operation} lost before`)
        const result = await call(...args)
        noteVersion()
        if (operation === 'read' || operation === 'acquireLease') lastSeen = stored()?.refreshTokenHash
        if (operation === 'park' || (operation === 'replace' && result !== undefined)) holdsUnkept = false
        await step(`${operation} answered`)
        if (what === 'lost after') throw new Error(`${operation} lost after`)
        return result
      }
    const connections: ConnectionStore = {
      read: remote('read', stores.connections.read),
      begin: remote('begin', stores.connections.begin),
      connect: remote('connect', stores.connections.connect),
      acquireLease: remote('acquireLease', (companyKey, claim) => {
        leaseUntil = claim.until
        return stores.connections.acquireLease(companyKey, claim)
      }),
      releaseLease: remote('releaseLease', stores.connections.releaseLease),
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
      createBinding: () => ({ idTokenNonce: undefined, codeVerifier: undefined }),
      authorizationUrl: async () => '',
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
      /** Refreshes like the cron, if the connection was not refreshed since. */
      refreshIdle: (notSince: number) => broker.refreshIdle(COMPANY, notSince, waitUntil),
      force: (generations?: number[]) => broker.refreshedToken(COMPANY, generations, waitUntil),
      /** Whether the Worker crashed with a token pair that is neither stored nor parked. */
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

  /** Runs all calls to their end. Calls to a crashed Worker have no outcome. */
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

  /** Starts a call after a delay. */
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
