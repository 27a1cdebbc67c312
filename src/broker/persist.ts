import type { Connection, EpochMs } from './connection.ts'
import type { ConnectionStore, KeepAlive, Log, Successor, Surroundings } from './ports.ts'

/** The caller waits this long for a write that failed at first; the writing goes on behind the answer. */
const CALLER_WAITS_MS = 5_000
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

interface PersistPorts {
  connections: ConnectionStore
  surroundings: Surroundings
  log: Log
}

/** What the record will be once the write comes through: the caller's answer while it has not. */
const asIfStored = (spent: Connection, { pair, now, writer }: Successor): Connection => ({
  ...spent,
  ...pair,
  lastRefreshAt: now,
  updatedAt: now,
  generation: spent.generation + 1,
  writtenBy: writer,
  lease: undefined,
  failure: undefined,
})

/**
 * Stores the pair that Intuit just gave, before the caller hears of it. A table that fails is tried again until
 * `deadline`, and the caller gets the token all the same. `undefined`: newer tokens are stored already.
 */
export const persisting = ({ connections, surroundings, log }: PersistPorts) => {
  /** Resolves to whether the pair, or a newer one, is stored in the end. */
  const replaceUntil = async (spent: Connection, successor: Successor, deadline: EpochMs) => {
    for (
      let pause = FIRST_PAUSE_MS;
      surroundings.now() + pause < deadline;
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
    ) {
      await surroundings.sleep(pause * (0.5 + surroundings.random() / 2))
      try {
        return { stored: await connections.replace(spent, successor) }
      } catch {
        log({ event: 'pair_write_failed', company_key: spent.companyKey })
      }
    }
    log({ event: 'pair_not_stored', company_key: spent.companyKey })
    return undefined
  }

  return async (spent: Connection, successor: Successor, deadline: EpochMs, keepAlive: KeepAlive) => {
    try {
      return await connections.replace(spent, successor)
    } catch {
      log({ event: 'pair_write_failed', company_key: spent.companyKey })
    }
    const retried = replaceUntil(spent, successor, deadline)
    keepAlive(retried)
    const patience = surroundings.sleep(CALLER_WAITS_MS).then(() => undefined)
    const outcome = await Promise.race([retried, patience])
    return outcome ? outcome.stored : asIfStored(spent, successor)
  }
}
