import type { Problem } from '../../problem.ts'
import type { Environment } from '../company.ts'
import { type Connection, type EpochSeconds, holdsTokens } from '../connection.ts'
import type { Log } from '../ports/runtime.ts'
import type { ConnectionStore, RealmStore } from '../ports/storage.ts'
import { environmentMismatch, realmInUse, realmMismatch, realmMissing } from './errors.ts'

export interface RealmGuardDeps {
  connections: ConnectionStore
  realms: RealmStore
  log: Log
  /** Whether a realm that is connected under one key is refused under another. */
  oneKeyPerRealm(): boolean
}

/** A consent that came back, before its code is spent. */
export interface Arrival {
  companyKey: string
  environment: Environment
  /** From the query: unverified until a first call of QuickBooks with the token. */
  realmId: string | undefined
}

/** Whether an arrival brings its realm to a second key, and whether the realm is to be noted as its own. */
export interface RealmUse {
  isShared: boolean
  isToBeNoted: boolean
}

/** A connected key keeps its company and its environment. The problem of an arrival that would change one of them. */
export function findMove(connection: Connection, { companyKey, environment, realmId }: Arrival): Problem | undefined {
  if (!holdsTokens(connection)) return undefined
  if (connection.environment !== environment) return environmentMismatch(companyKey, connection.environment)
  if (connection.realmId === undefined || connection.realmId === realmId) return undefined
  return realmId === undefined ? realmMissing(companyKey) : realmMismatch(companyKey)
}

/** Throws `realm_mismatch`. */
export function refuseMove(connection: Connection, arrival: Arrival): void {
  const move = findMove(connection, arrival)
  if (move) throw move
}

/** One company under two keys: told to whoever connects it and to the log, or refused. */
export function createRealmGuard({ connections, realms, log, oneKeyPerRealm }: RealmGuardDeps) {
  /** A note says where to look and no more: whether that key still holds the realm stands in its own record. */
  const stillHolds = async (holder: string, { environment, realmId }: Arrival, now: EpochSeconds) => {
    const connection = await connections.read(holder, now)
    return (
      connection !== undefined &&
      holdsTokens(connection) &&
      connection.realmId === realmId &&
      connection.environment === environment
    )
  }

  /** `holder` is the key that the realm was last noted for. Throws `realm_in_use` where one key alone may have it. */
  const checkRealm = async (arrival: Arrival, holder: string | undefined, now: EpochSeconds): Promise<RealmUse> => {
    const { companyKey, realmId } = arrival
    if (realmId === undefined || holder === companyKey) return { isShared: false, isToBeNoted: false }
    const isShared = holder !== undefined && (await stillHolds(holder, arrival, now))
    if (!isShared) return { isShared, isToBeNoted: true }
    const isRefused = oneKeyPerRealm()
    log({ event: isRefused ? 'realm_refused' : 'realm_shared', company_key: companyKey, other_company_key: holder })
    if (isRefused) throw realmInUse()
    return { isShared, isToBeNoted: false }
  }

  /** A note that fails costs nobody the tokens: the next consent of the realm makes it. */
  const note = async ({ companyKey, environment, realmId }: Arrival, { isToBeNoted }: RealmUse, now: EpochSeconds) => {
    if (!isToBeNoted || realmId === undefined) return
    await realms
      .record(environment, realmId, companyKey, now)
      .catch(() => log({ event: 'realm_not_recorded', company_key: companyKey }))
  }

  return { checkRealm, note }
}
