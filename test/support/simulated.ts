import type fc from 'fast-check'
import { createBroker } from '../../src/broker/broker.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { AuthorizationServer, ConnectionStore, LogEvent, Vault } from '../../src/broker/ports.ts'
import { fakeIntuit } from './fake-intuit.ts'
import { memoryConnections, memoryStates } from './memory-stores.ts'

/** Marks what it seals, so that a test sees where a stored token was taken for an opened one. */
const fakeVault: Vault = {
  seal: async (_companyKey, name, token) => `${name} sealed ${token}`,
  open: async (_companyKey, name, stored) => stored.replace(`${name} sealed `, ''),
  digest: async (token) => `hash of ${token}`,
}

const START_MS = 1_790_000_000_000

interface SimulationOptions {
  scheduler: fc.Scheduler
  /** What goes wrong around one step of the table. */
  fault?: (operation: string) => 'none' | 'lost before' | 'lost after'
  loses?: () => boolean
  rotates?: () => boolean
}

/**
 * Brokers over one table in memory and one authorization server that dies on reuse. Every step of each waits for the
 * scheduler, which owns the order; time goes on with every step, and by what is slept.
 */
export const simulated = ({ scheduler, fault = () => 'none', loses, rotates }: SimulationOptions) => {
  let time = START_MS
  const memory = memoryConnections()
  const step = async (label: string) => {
    await scheduler.schedule(Promise.resolve(), label)
    time += 1
  }
  const intuit = fakeIntuit({
    now: () => Math.floor(time / 1000),
    delay: (when) => step(`intuit ${when}`),
    ...(loses ? { loses } : {}),
    ...(rotates ? { rotates } : {}),
  })

  /** The table behind a network: each call is a step before and a step after, and may be lost at either. */
  const remote =
    <Arguments extends unknown[], Result>(operation: string, call: (...args: Arguments) => Promise<Result>) =>
    async (...args: Arguments): Promise<Result> => {
      const what = fault(operation)
      await step(`${operation} sent`)
      if (what === 'lost before') throw new Error(`${operation} lost before`)
      const result = await call(...args)
      await step(`${operation} answered`)
      if (what === 'lost after') throw new Error(`${operation} lost after`)
      return result
    }
  const { store } = memory
  const connections: ConnectionStore = {
    read: remote('read', store.read),
    begin: remote('begin', store.begin),
    connect: remote('connect', store.connect),
    claim: remote('claim', store.claim),
    release: remote('release', store.release),
    replace: remote('replace', store.replace),
    fail: remote('fail', store.fail),
  }

  const events: LogEvent[] = []
  const background: Promise<unknown>[] = []
  let nonces = 0

  /** One Worker, its clock `skewMs` off. */
  const worker = (skewMs = 0) => {
    const authorizationServer: AuthorizationServer = {
      requireClient: () => undefined,
      authorizationUrl: () => '',
      exchange: () => Promise.reject(new Error('not simulated')),
      refresh: (_, token) => intuit.refresh(token),
    }
    const broker = createBroker({
      connections,
      states: memoryStates(),
      intuit: authorizationServer,
      vault: fakeVault,
      surroundings: {
        now: () => time + skewMs,
        sleep: async (ms) => {
          const wakeAt = time + ms
          await step('sleep')
          time = Math.max(time, wakeAt)
        },
        random: () => 0.5,
        nonce: () => `nonce-${++nonces}`,
      },
      log: (event) => events.push(event),
      marginSeconds: () => 300,
      stateTtlSeconds: () => 600,
    })
    const keepAlive = (promise: Promise<unknown>) => {
      background.push(promise)
    }
    return {
      read: () => broker.freshToken('beach', keepAlive),
      force: () => broker.refreshedToken('beach', keepAlive),
    }
  }

  const connection = (over: Partial<Connection> = {}): Connection => ({
    ...{ companyKey: 'beach', companyName: 'Beach', environment: 'production', realmId: '1' },
    ...{ accessToken: 'access_token sealed access-0', accessTokenExpiresAt: START_MS / 1000 - 1 },
    ...{ refreshToken: 'refresh_token sealed refresh-0', refreshTokenExpiresAt: START_MS / 1000 + 8_000_000 },
    ...{ createdAt: 1, updatedAt: 1, lastRefreshAt: 1, generation: 1, refreshTokenHash: 'hash of refresh-0' },
    ...{ writtenBy: 'connect', lease: undefined, failure: undefined },
    ...over,
  })
  const seed = (over: Partial<Connection> = {}) => {
    memory.rows.set('beach', { connection: connection(over), expiresAt: undefined })
  }
  seed()

  return {
    worker,
    intuit,
    events,
    seed,
    stored: () => memory.rows.get('beach')?.connection,
    /** Everything that was promised to outlive its caller. */
    settled: async () => {
      for (let count = -1; count !== background.length; ) {
        count = background.length
        await scheduler.waitIdle()
        await Promise.allSettled(background)
      }
    },
    pass: (ms: number) => {
      time += ms
    },
  }
}
