import type { Connection, EpochSeconds, Failure, FailureReason } from './connection.ts'

const MINUTE = 60
const HOUR = 3600
/** Final: only a forced refresh or a new consent asks Intuit again. The last second of the year 9999. */
const NEVER: EpochSeconds = 253_402_300_799

/** Whether only a forced refresh or a new consent asks Intuit again. */
export function isFinal({ retryAt }: Failure): boolean {
  return retryAt >= NEVER
}

/** A forced refresh passes the breaker, but not more often than this. */
const FORCED_EVERY_SECONDS = 10
/** The time a lapsed holder has to come home before its silence counts. */
const UNSETTLED_SECONDS = MINUTE
/** Outages have been seen to say `invalid_grant`: five attempts over 24 hours, then never again. */
const INVALID_GRANT_PAUSES = [10 * MINUTE, HOUR, 5 * HOUR, 18 * HOUR]

function doubling(first: number, longest: number, count: number) {
  return Math.min(first * 2 ** (count - 1), longest)
}

function pauseSeconds(reason: FailureReason, count: number): number {
  switch (reason) {
    case 'invalid_grant':
      return INVALID_GRANT_PAUSES[count - 1] ?? NEVER
    case 'invalid_client':
      return doubling(30, 15 * MINUTE, count)
    case 'unavailable':
      return doubling(10, 10 * MINUTE, count)
    case 'unsettled':
      return UNSETTLED_SECONDS
  }
}

/** The record of one more failed refresh: intervals grow while the reason stays the same. */
export function nextFailure(
  previous: Failure | undefined,
  reason: FailureReason,
  intuitTid: string | undefined,
  now: EpochSeconds,
): Failure {
  const streak = previous?.reason === reason ? previous : undefined
  const count = (streak?.count ?? 0) + 1
  const retryAt = Math.min(now + pauseSeconds(reason, count), NEVER)
  return { reason, intuitTid, count, since: streak?.since ?? now, at: now, retryAt }
}

/** The failure that forbids asking Intuit now; `undefined` where asking is allowed. */
export function standingFailure({ failure }: Connection, now: EpochSeconds, forced: boolean): Failure | undefined {
  if (!failure) return undefined
  // A minute of silence is for a holder to come home: nobody's wish shortens it.
  const askableAt = forced && failure.reason !== 'unsettled' ? failure.at + FORCED_EVERY_SECONDS : failure.retryAt
  return now < askableAt ? failure : undefined
}
