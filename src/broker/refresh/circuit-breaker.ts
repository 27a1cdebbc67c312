import type { Connection, EpochSeconds, Failure, FailureReason } from '../connection.ts'
import type { AuthorizationServer } from '../ports/intuit.ts'

const MINUTE = 60
const HOUR = 3600
/** The retry time of a final failure: the last second of the year 9999. */
const NEVER: EpochSeconds = 253_402_300_799

/** Whether only a forced refresh or a new consent calls Intuit again. */
export function isFinal({ retryAt }: Failure): boolean {
  return retryAt >= NEVER
}

/** The shortest time between two forced refreshes that pass the circuit breaker. */
const FORCED_EVERY_SECONDS = 10
/** How long the holder of a lapsed lease has to store its token pair. */
const UNSETTLED_SECONDS = MINUTE
/** Outages at Intuit have answered `invalid_grant`, so it is final after five failures in 24 hours. */
const INVALID_GRANT_PAUSES = [10 * MINUTE, HOUR, 5 * HOUR, 18 * HOUR]

/** A refresh that got no tokens from Intuit. */
export interface FailedAttempt {
  reason: FailureReason
  intuitError: string | undefined
  intuitTid: string | undefined
  /** Intuit's `Retry-After`. */
  retryAfterSeconds: number | undefined
  /** Digest of the client credentials that were used. */
  client: string
}

function doubling(first: number, longest: number, count: number) {
  return Math.min(first * 2 ** (count - 1), longest)
}

function pauseSeconds(reason: FailureReason, count: number): number {
  switch (reason) {
    case 'invalid_grant':
      return INVALID_GRANT_PAUSES[count - 1] ?? NEVER
    case 'invalid_client':
    case 'request_rejected':
      return doubling(30, 15 * MINUTE, count)
    case 'unavailable':
      return doubling(10, 10 * MINUTE, count)
    case 'unsettled':
      return UNSETTLED_SECONDS
  }
}

/** Whether other client credentials may resolve a failure. */
function dependsOnClient(reason: FailureReason) {
  return reason === 'invalid_client' || reason === 'request_rejected'
}

/** Whether a failure that depends on the client credentials happened with others than `client`. */
function isOfOtherClient(failure: Failure, client: string | undefined) {
  return dependsOnClient(failure.reason) && failure.client !== undefined && failure.client !== client
}

/** Whether a failure forbids a call to Intuit now. `client` is the digest of the configured credentials. */
function stands(failure: Failure, now: EpochSeconds, forced: boolean, client: string | undefined): boolean {
  if (isOfOtherClient(failure, client)) return now < (failure.notBefore ?? 0)
  // `unsettled` gives another holder time to store its token pair. No caller can shorten it.
  if (!forced || failure.reason === 'unsettled') return now < failure.retryAt
  // In both directions, so that a time from a wrong clock blocks nothing for long.
  return Math.abs(now - failure.at) < FORCED_EVERY_SECONDS || now < (failure.notBefore ?? 0)
}

function later(one: number | undefined, other: number | undefined) {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}

/**
 * The time before which not even a forced refresh calls Intuit: its `Retry-After`, or the time that another holder has
 * to store its token pair.
 */
function toNotBefore({ reason, retryAfterSeconds }: FailedAttempt, now: EpochSeconds) {
  const seconds = later(retryAfterSeconds, reason === 'unsettled' ? UNSETTLED_SECONDS : undefined)
  return seconds === undefined ? undefined : now + seconds
}

/**
 * The failure to record after another failed refresh. Intervals grow while the reason stays the same. An early attempt, such
 * as a forced refresh, neither counts nor moves the next attempt. Only Intuit's `Retry-After` moves it.
 */
export function nextFailure(previous: Failure | undefined, attempt: FailedAttempt, now: EpochSeconds): Failure {
  const { reason, intuitError, intuitTid, client } = attempt
  const notBefore = toNotBefore(attempt, now)
  if (previous && stands(previous, now, false, client)) {
    const repeated = previous.reason === reason ? { intuitError, intuitTid } : {}
    const moved = {
      notBefore: later(previous.notBefore, notBefore),
      retryAt: Math.max(previous.retryAt, notBefore ?? 0),
    }
    return { ...previous, ...repeated, ...moved, at: now }
  }
  const streak = previous?.reason === reason && !isOfOtherClient(previous, client) ? previous : undefined
  const count = (streak?.count ?? 0) + 1
  const retryAt = Math.min(Math.max(now + pauseSeconds(reason, count), notBefore ?? 0), NEVER)
  return {
    ...{ reason, intuitError, intuitTid, count, since: streak?.since ?? now, at: now, retryAt },
    notBefore,
    client: dependsOnClient(reason) ? client : undefined,
  }
}

/**
 * The failure for the response. After an early attempt, the recorded failure can be an earlier one with another reason.
 */
export function answeredFailure(stored: Failure, attempt: FailedAttempt, now: EpochSeconds): Failure {
  if (stored.reason === attempt.reason) return stored
  const { reason, intuitError, intuitTid } = attempt
  return { ...stored, reason, intuitError, intuitTid, retryAt: stored.notBefore ?? now + FORCED_EVERY_SECONDS }
}

/** The recorded failure that forbids a request to Intuit now. `undefined`: a request is allowed. */
export async function findStandingFailure(
  { clientDigest }: Pick<AuthorizationServer, 'clientDigest'>,
  { companyKey, environment, failure }: Connection,
  now: EpochSeconds,
  forced: boolean,
): Promise<Failure | undefined> {
  if (!failure) return undefined
  const client = failure.client === undefined ? undefined : await clientDigest(environment, companyKey)
  return stands(failure, now, forced, client) ? failure : undefined
}
