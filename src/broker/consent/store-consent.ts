import type { Problem } from '../../problem.ts'
import { type Connection, changeTime, type EpochMs, holdsTokens } from '../connection.ts'
import type { AuthorizationServer } from '../ports/intuit.ts'
import type { Log, Runtime } from '../ports/runtime.ts'
import type { ConnectionStore, Consent } from '../ports/storage.ts'
import type { RefreshLimit } from '../refresh/concurrency-limit.ts'
import { retryUntil, STORE_PAUSE_MS } from '../retry.ts'
import { connectionRemoved, notStored } from './errors.ts'
import { type ConsentTarget, findRealmConflict } from './realm-guard.ts'

/** What storing the token pair of a consent needs. */
export interface StoreConsentDeps {
  connections: ConnectionStore
  intuit: Pick<AuthorizationServer, 'revoke'>
  runtime: Runtime
  log: Log
  limit: Pick<RefreshLimit, 'addAtRisk'>
}

/** The token pair of a consent, and until when to try to store it. */
export interface StoreConsentRequest {
  target: ConsentTarget
  consent: Consent
  /** The refresh token itself, for its revocation. */
  refreshToken: string
  /** No write begins after this time. */
  deadline: EpochMs
  /** Called after each write that failed. */
  onFailure(): void
}

/** `stored`: the record has the tokens of this consent or of a later one. `refused`: why it does not take them. */
export type StoreConsentResult = { stored: Connection } | { refused: Problem; connection: Connection }

/**
 * Classifies the record as it is after the write. A token pair counts as stored only if the record has its tokens or
 * those of a later consent. Throws if the record gives no reason for the refused write, so that the write is retried.
 */
function classifyRecord(connection: Connection, { target, consent }: StoreConsentRequest): StoreConsentResult {
  const { lastChange } = connection
  const isOurs = lastChange?.by === consent.writer
  const isLater = lastChange !== undefined && !isOurs && lastChange.at >= changeTime(consent)
  if (!holdsTokens(connection)) {
    if (!isOurs && !isLater) throw new Error('The table refused a consent for a record without tokens.')
    return { refused: connectionRemoved(), connection }
  }
  const conflict = findRealmConflict(connection, target)
  if (conflict) return { refused: conflict, connection }
  if (!isOurs && !isLater) throw new Error('The table refused a consent for a record of the same company.')
  return { stored: connection }
}

/** Revokes a token pair that Intuit issued before the company was disconnected: the disconnect could not revoke it. */
async function revoke({ intuit, log }: StoreConsentDeps, { target, refreshToken }: StoreConsentRequest) {
  const { companyKey, environment } = target
  try {
    const { outcome, intuitTid } = await intuit.revoke(environment, refreshToken)
    const revocation = outcome === 'revoked' ? 'confirmed' : 'unconfirmed'
    log({ event: 'disconnected', company_key: companyKey, revocation, intuit_tid: intuitTid })
  } catch {
    log({ event: 'disconnected', company_key: companyKey, revocation: 'unconfirmed' })
  }
}

/**
 * Stores the token pair of a consent. The code is used and no other record has its tokens, so every failed write is
 * retried. Throws `storage_unavailable` at the deadline.
 */
export async function storeConsent(deps: StoreConsentDeps, request: StoreConsentRequest): Promise<StoreConsentResult> {
  const { connections, runtime, log, limit } = deps
  const { consent, deadline } = request
  const { companyKey } = request.target
  let isAtRisk = false
  const onFailure = () => {
    log({ event: 'pair_write_failed', company_key: companyKey })
    if (!isAtRisk) limit.addAtRisk(storing)
    isAtRisk = true
    request.onFailure()
  }
  const write = async () => classifyRecord(await connections.connect(companyKey, consent), request)
  const storing = retryUntil(write, deadline, runtime, onFailure, STORE_PAUSE_MS)
  const written = await storing
  if (!written) throw notStored()
  const result = written.value
  if ('refused' in result && !holdsTokens(result.connection)) await revoke(deps, request)
  return result
}
