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

/** A request for a token that is newer than the one that its caller has read. */
export interface RefreshRequest {
  /** The record as the caller read it. A higher generation is a result for this request, too. */
  seen: Connection
  /** Whether the caller demands a refresh, regardless of the token's age. */
  forced: boolean
  startedAt: EpochMs
  waitUntil: WaitUntil
}

/** The record, if its access token is valid. */
export function ifValid(connection: Connection, now: EpochSeconds): WithAccessToken | undefined {
  return isFresh(connection, now, 0) ? connection : undefined
}

/** The record, if another request has refreshed it since the caller read it. */
export function refreshedByAnother(current: Connection, { seen }: RefreshRequest, now: EpochSeconds) {
  return current.generation > seen.generation ? ifValid(current, now) : undefined
}

/**
 * The old token, if it is usable despite a failed refresh. It is not usable for a forced refresh. Within the margin, it is
 * not usable either if Intuit no longer accepts the connection or the client credentials. Throws the problem of the failure.
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
