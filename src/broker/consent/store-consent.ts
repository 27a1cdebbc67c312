import type { Problem } from '../../problem.ts'
import { type Connection, changeTime, type EpochMs, holdsTokens } from '../connection.ts'
import type { AuthorizationServer } from '../ports/intuit.ts'
import type { Log, Runtime } from '../ports/runtime.ts'
import type { ConnectionStore, Consent } from '../ports/storage.ts'
import type { RefreshLimit } from '../refresh/concurrency-limit.ts'
import { retryUntil, STORE_PAUSE_MS } from '../retry.ts'
import { connectionRemoved, notStored } from './errors.ts'
import { type Arrival, findMove } from './realm-guard.ts'

interface StoreConsentDeps {
  connections: ConnectionStore
  intuit: Pick<AuthorizationServer, 'revoke'>
  runtime: Runtime
  log: Log
  limit: Pick<RefreshLimit, 'noteAtRisk'>
}

interface StoreConsentRequest {
  arrival: Arrival
  consent: Consent
  /** The refresh token itself. */
  refreshToken: string
  /** No write begins later. */
  deadline: EpochMs
  /** Is told of each write that failed. */
  onFailure(): void
}

/** What the record says after the write: it holds tokens of this consent or of a later one, or refuses this one. */
export type Verdict = { stored: Connection } | { refused: Problem; connection: Connection }

/**
 * Judges the record as it stands after the write. Never takes a pair for stored that was thrown away without a later one
 * in its place. Throws where the record gives no reason for its refusal: the write is worth another attempt.
 */
function checkRealm(connection: Connection, { arrival, consent }: StoreConsentRequest): Verdict {
  const { lastChange } = connection
  const isOurs = lastChange?.by === consent.writer
  const isLater = lastChange !== undefined && !isOurs && lastChange.at >= changeTime(consent)
  if (!holdsTokens(connection)) {
    if (!isOurs && !isLater) throw new Error('The record refused a consent that it has room for.')
    return { refused: connectionRemoved(), connection }
  }
  const move = findMove(connection, arrival)
  if (move) return { refused: move, connection }
  if (!isOurs && !isLater) throw new Error('The record refused a consent of its own company.')
  return { stored: connection }
}

/** Stores the first pair of a consent. The code is used, and nobody else has its tokens, so every failure is retried. */
export function createStoreConsent({ connections, intuit, runtime, log, limit }: StoreConsentDeps) {
  /** The company was disconnected after Intuit had issued this pair, by somebody who could not know of it. */
  const revoke = async ({ companyKey, environment }: Arrival, refreshToken: string) => {
    try {
      const { outcome, intuitTid } = await intuit.revoke(environment, refreshToken)
      const revocation = outcome === 'revoked' ? 'confirmed' : 'unconfirmed'
      log({ event: 'disconnected', company_key: companyKey, revocation, intuit_tid: intuitTid })
    } catch {
      log({ event: 'disconnected', company_key: companyKey, revocation: 'unconfirmed' })
    }
  }

  /** Throws `storage_unavailable` at the deadline. */
  return async (request: StoreConsentRequest): Promise<Verdict> => {
    const { arrival, consent, deadline, refreshToken } = request
    let isAtRisk = false
    const onFailure = () => {
      log({ event: 'pair_write_failed', company_key: arrival.companyKey })
      if (!isAtRisk) limit.noteAtRisk(storing)
      isAtRisk = true
      request.onFailure()
    }
    const attempt = async () => checkRealm(await connections.connect(arrival.companyKey, consent), request)
    const storing = retryUntil(attempt, deadline, runtime, onFailure, STORE_PAUSE_MS)
    const ended = await storing
    if (!ended) throw notStored()
    const { value: verdict } = ended
    if ('refused' in verdict && !holdsTokens(verdict.connection)) await revoke(arrival, refreshToken)
    return verdict
  }
}
