import type { Connection, EpochMs } from '../connection.ts'
import type { Log, Runtime, WaitUntil } from '../ports/runtime.ts'
import type { ConnectionStore, LeaseEnd, Rescue, Successor } from '../ports/storage.ts'
import { retryUntil, STORE_PAUSE_MS } from '../retry.ts'
import type { RefreshLimit } from './concurrency-limit.ts'
import { addToHistory } from './history.ts'

export interface StorePairDeps {
  connections: Pick<ConnectionStore, 'replace'>
  rescue: Rescue | undefined
  runtime: Runtime
  log: Log
  limit: Pick<RefreshLimit, 'add' | 'addAtRisk'>
}

export interface StorePairRequest {
  /** The record that holds the used refresh token. */
  used: Connection
  /** SHA-256, hexadecimal. */
  usedTokenHash: string
  successor: Successor
  leaseEnd: LeaseEnd
  /** No write begins later. */
  deadline: EpochMs
  /** How long the caller waits for a pair that is neither stored nor parked. Milliseconds. */
  patienceMs: number
  waitUntil: WaitUntil
  /** Called if the table rejects the pair after the caller got its response. */
  onLateRejection(): Promise<unknown>
}

/** The record as it will be after the write: the response to a caller that cannot wait for it. */
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
    refreshes: addToHistory(used.refreshes, rotated ? 'rotated' : 'kept', now),
  }
}

/**
 * Parks a rotated pair in the rescue store, and returns whether it is there. A pair that is not rotated needs no second
 * place: the record already has its refresh token.
 */
async function park(
  { rescue, runtime }: StorePairDeps,
  { used, usedTokenHash, successor, deadline }: StorePairRequest,
): Promise<boolean> {
  if (!rescue || !successor.rotated) return false
  const parked = await retryUntil(() => rescue.park(used.companyKey, usedTokenHash, successor), deadline, runtime)
  return parked !== undefined
}

/** Removes the parked copy of a stored pair. It stays if the pair was not stored. */
async function removeParked(
  { rescue, log }: StorePairDeps,
  { used, usedTokenHash }: StorePairRequest,
  isStored: boolean,
  isParked: boolean,
) {
  if (!isStored) log({ event: 'pair_not_stored', company_key: used.companyKey, parked: isParked })
  else if (isParked) await rescue?.remove(used.companyKey, usedTokenHash).catch(() => undefined)
}

/** A write that is retried until the deadline. */
interface Storing {
  /** `value` is `undefined` if the table rejected the pair. `undefined`: the deadline has passed. */
  stored: Promise<{ value: Connection | undefined } | undefined>
  /** Resolves when the first write has failed. */
  failed: Promise<void>
  /** Whether the pair is parked. `undefined` as long as no write has failed. */
  parked(): Promise<boolean> | undefined
}

/**
 * Starts to write. After the first failed write, the pair is parked as well, and counts as at risk until it is safe.
 */
function startStoring(deps: StorePairDeps, request: StorePairRequest): Storing {
  const { connections, rescue, runtime, log, limit } = deps
  const { used, successor, leaseEnd, deadline } = request
  const failed = Promise.withResolvers<void>()
  let parked: Promise<boolean> | undefined
  const onFailure = () => {
    log({ event: 'pair_write_failed', company_key: used.companyKey, rescue: rescue ? 'bound' : 'not bound' })
    if (parked === undefined) {
      parked = park(deps, request)
      if (successor.rotated) limit.addAtRisk(parked.then(async (isParked) => isParked || (await stored)))
    }
    failed.resolve()
  }
  const write = async () => connections.replace(used, successor, leaseEnd)
  const stored = retryUntil(write, deadline, runtime, onFailure, STORE_PAUSE_MS)
  limit.add(stored)
  return { stored, failed: failed.promise, parked: () => parked }
}

/**
 * Stores a token pair that Intuit just issued, before the caller gets its response. If the first write fails, a rotated
 * pair is also parked, and the write is repeated until the deadline, if necessary in the background. Returns the record
 * with the pair, or `undefined` if the table rejected it.
 */
export async function storeTokenPair(deps: StorePairDeps, request: StorePairRequest): Promise<Connection | undefined> {
  const { used, successor, patienceMs, waitUntil, onLateRejection } = request
  const { stored, failed, parked } = startStoring(deps, request)
  let hasResponded = false
  const finish = async () => {
    const outcome = await stored
    const parking = parked()
    if (parking !== undefined) await removeParked(deps, request, outcome !== undefined, await parking)
    if (hasResponded && outcome && !outcome.value) await onLateRejection()
  }
  waitUntil(finish())

  /** Resolves when the caller need not wait any longer: the pair is parked, was not rotated, or takes too long. */
  const patience = async () => {
    await failed
    if (!successor.rotated) return
    const waited = deps.runtime.sleep(patienceMs)
    await Promise.race([waited, parked()?.then((isParked) => (isParked ? undefined : waited))])
  }
  const outcome = await Promise.race([stored, patience()])
  hasResponded = outcome === undefined
  return outcome ? outcome.value : asIfStored(used, successor)
}
