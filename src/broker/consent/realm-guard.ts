import type { Problem } from '../../problem.ts'
import type { Environment } from '../company.ts'
import { type Connection, type EpochSeconds, holdsTokens } from '../connection.ts'
import type { Log, Runtime } from '../ports/runtime.ts'
import type { ConnectionStore, RealmStore } from '../ports/storage.ts'
import { nowSeconds } from '../timing.ts'
import { environmentMismatch, realmInUse, realmMismatch, realmMissing, realmUnknown, realmUnnamed } from './errors.ts'

/** What the checks of a realm need. */
export interface RealmGuardDeps {
  connections: ConnectionStore
  realms: RealmStore
  runtime: Pick<Runtime, 'now'>
  log: Log
  /** Whether a realm that is connected under one key is refused under another. */
  oneKeyPerRealm(): boolean
}

/** What a consent connects. */
export interface ConsentTarget {
  companyKey: string
  environment: Environment
  /** The QuickBooks company. It comes from the query, so from the browser, until an ID token has named it. */
  realmId: string | undefined
  /** Whether the start link was signed. */
  isInvited: boolean
}

/** Which other key has the realm of a consent. */
export interface RealmCheck {
  /** Whether the realm is connected under another key as well. */
  isShared: boolean
  /** Whether to record the realm under the key of this consent. */
  shouldRecord: boolean
}

/**
 * A connected key keeps its company and its environment. Returns the `realm_mismatch` of a consent that would change
 * one of them, or `undefined`.
 */
export function findRealmConflict(connection: Connection, target: ConsentTarget): Problem | undefined {
  const { companyKey, environment, realmId, isInvited } = target
  if (!holdsTokens(connection)) return undefined
  if (connection.environment !== environment) return environmentMismatch(companyKey, connection.environment)
  if (connection.realmId === undefined) return isInvited ? undefined : realmUnknown(companyKey)
  if (connection.realmId === realmId) return undefined
  return realmId === undefined ? realmMissing(companyKey) : realmMismatch(companyKey)
}

/** Throws `realm_mismatch` if the consent would change the company or the environment of a connected key. */
export function requireSameRealm(connection: Connection, target: ConsentTarget): void {
  const conflict = findRealmConflict(connection, target)
  if (conflict) throw conflict
}

/** A recorded key can be out of date. Only its connection says whether it still has the realm. */
async function hasRealm({ connections, runtime }: RealmGuardDeps, companyKey: string, target: ConsentTarget) {
  const connection = await connections.read(companyKey, nowSeconds(runtime))
  return (
    connection !== undefined &&
    holdsTokens(connection) &&
    connection.realmId === target.realmId &&
    connection.environment === target.environment
  )
}

/**
 * Checks whether another key has the realm, and logs it. `recordedKey` is the company key that the realm store has.
 * Throws `realm_in_use` if the deployment allows one key per realm, and `realm_mismatch` if the realm is then unknown.
 */
export async function checkRealm(
  deps: RealmGuardDeps,
  target: ConsentTarget,
  recordedKey: string | undefined,
): Promise<RealmCheck> {
  const { companyKey, realmId } = target
  if (realmId === undefined && deps.oneKeyPerRealm()) throw realmUnnamed()
  if (realmId === undefined || recordedKey === companyKey) return { isShared: false, shouldRecord: false }
  const isShared = recordedKey !== undefined && (await hasRealm(deps, recordedKey, target))
  if (!isShared) return { isShared, shouldRecord: true }
  const isRefused = deps.oneKeyPerRealm()
  const event = isRefused ? 'realm_refused' : 'realm_shared'
  deps.log({ event, company_key: companyKey, other_company_key: recordedKey })
  if (isRefused) throw realmInUse()
  return { isShared, shouldRecord: false }
}

/**
 * Records the realm under the key of the consent if the check says so. A failed write is logged and does not fail the
 * consent: the next consent of the realm writes it.
 */
export async function recordRealm(
  { realms, log }: RealmGuardDeps,
  { companyKey, environment, realmId }: ConsentTarget,
  { shouldRecord }: RealmCheck,
  now: EpochSeconds,
): Promise<void> {
  if (!shouldRecord || realmId === undefined) return
  await realms
    .record(environment, realmId, companyKey, now)
    .catch(() => log({ event: 'realm_not_recorded', company_key: companyKey }))
}
