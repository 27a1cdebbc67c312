import type { Connection, EpochMs } from '../connection.ts'
import type { Log, Runtime, WaitUntil } from '../ports/runtime.ts'
import type { ConnectionStore, LeaseEnd, Rescue, Successor } from '../ports/storage.ts'
import { retryUntil, STORE_PAUSE_MS } from '../retry.ts'
import type { RefreshLimit } from './concurrency-limit.ts'
import { addRefreshNote } from './history.ts'

interface StorePairDeps {
  connections: ConnectionStore
  rescue: Rescue | undefined
  runtime: Runtime
  log: Log
  limit: Pick<RefreshLimit, 'count' | 'noteAtRisk'>
}

interface StorePairRequest {
  used: Connection
  usedTokenHash: string
  successor: Successor
  leaseEnd: LeaseEnd
  /** No write begins later. */
  deadline: EpochMs
  /** How long the caller waits for a pair that is neither stored nor parked. */
  patienceMs: number
  waitUntil: WaitUntil
  /** Does what is left to do where the write is refused after the caller was answered. */
  onRefusedLate(): Promise<unknown>
}

/** What the record will be once the write comes through: the caller's answer while it has not. */
function asIfStored(used: Connection, { pair, rotated, now, writer }: Successor): Connection {
  return {
    ...used,
    ...pair,
    refreshTokenHardExpiresAt: pair.refreshTokenHardExpiresAt ?? used.refreshTokenHardExpiresAt,
    lastRefreshAt: now,
    updatedAt: now,
    generation: used.generation + 1,
    writtenBy: writer,
    lease: undefined,
    failure: undefined,
    refreshes: addRefreshNote(used.refreshes, rotated ? 'rotated' : 'kept', now),
  }
}

/**
 * Stores the pair that Intuit just gave, before the caller hears of it. At the first write that fails a rotated pair is
 * also parked beside the table, and the write is tried again until the deadline, behind the answer if need be. A pair
 * that is not rotated needs no second place: the record holds its refresh token already. Resolves to the record with
 * the pair, or to `undefined` where the write was refused.
 */
export function createStoreTokenPair({ connections, rescue, runtime, log, limit }: StorePairDeps) {
  /** Whether the pair is parked. Without a rescue store it never is. */
  const park = async ({ used, usedTokenHash, successor, deadline }: StorePairRequest): Promise<boolean> => {
    if (!rescue || !successor.rotated) return false
    const parked = await retryUntil(() => rescue.park(used.companyKey, usedTokenHash, successor), deadline, runtime)
    return parked !== undefined
  }

  /** The parked copy goes once the pair is stored; it stays where the deadline passed. */
  const settle = async ({ used, usedTokenHash }: StorePairRequest, isStored: boolean, isParked: boolean) => {
    if (!isStored) log({ event: 'pair_not_stored', company_key: used.companyKey, parked: isParked })
    else if (isParked) await rescue?.remove(used.companyKey, usedTokenHash).catch(() => undefined)
  }

  return async (request: StorePairRequest): Promise<Connection | undefined> => {
    const { used, successor, leaseEnd, deadline, patienceMs, waitUntil, onRefusedLate } = request
    let parked: Promise<boolean> | undefined
    const failed = Promise.withResolvers<void>()
    const onFailure = () => {
      log({ event: 'pair_write_failed', company_key: used.companyKey, rescue: rescue ? 'bound' : 'not bound' })
      if (parked === undefined) {
        parked = park(request)
        if (successor.rotated) limit.noteAtRisk(parked.then(async (isParked) => isParked || (await stored)))
      }
      failed.resolve()
    }
    const stored = retryUntil(
      async () => connections.replace(used, successor, leaseEnd),
      deadline,
      runtime,
      onFailure,
      STORE_PAUSE_MS,
    )
    limit.count(stored)
    let isAnsweredAhead = false
    waitUntil(
      stored.then(async (outcome) => {
        if (parked !== undefined) await settle(request, outcome !== undefined, await parked)
        if (isAnsweredAhead && outcome && !outcome.value) await onRefusedLate()
      }),
    )

    const patience = async () => {
      await failed.promise
      if (!successor.rotated) return
      const waited = runtime.sleep(patienceMs)
      await Promise.race([waited, parked?.then((isParked) => (isParked ? undefined : waited))])
    }
    const outcome = await Promise.race([stored, patience()])
    isAnsweredAhead = outcome === undefined
    return outcome ? outcome.value : asIfStored(used, successor)
  }
}
