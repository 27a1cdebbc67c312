import {
  type Connection,
  type EpochMs,
  type EpochSeconds,
  type Failure,
  isFresh,
  type WithAccessToken,
} from '../connection.ts'
import { failedRefresh } from '../errors.ts'
import type { WaitUntil } from '../ports/runtime.ts'

/** A request for a token that is newer than the one its caller saw. */
export interface RefreshRequest {
  /** The record as this caller read it: whatever has a higher generation was refreshed for it too. */
  seen: Connection
  /** Asked for by the caller, and not by the token's age. */
  forced: boolean
  startedAt: EpochMs
  waitUntil: WaitUntil
}

/** The record if its access token can be used at all. */
export function ifValid(connection: Connection, now: EpochSeconds): WithAccessToken | undefined {
  return isFresh(connection, now, 0) ? connection : undefined
}

/** The record if somebody refreshed it after the caller saw it. */
export function refreshedByAnother(current: Connection, { seen }: RefreshRequest, now: EpochSeconds) {
  return current.generation > seen.generation ? ifValid(current, now) : undefined
}

/**
 * A failed refresh costs a caller nothing while the old token can be used. It matters to who forced it, and inside the
 * margin of a connection that Intuit no longer accepts, or whose client credentials it rejects. Throws the failure's problem.
 */
export function usableDespite(
  current: Connection,
  failure: Failure,
  forced: boolean,
  now: EpochSeconds,
  marginSeconds: number,
): WithAccessToken {
  const passing = failure.reason !== 'invalid_grant' && failure.reason !== 'invalid_client'
  if (!forced && isFresh(current, now, passing ? 0 : marginSeconds)) return current
  throw failedRefresh(current.companyKey, failure, now)
}
