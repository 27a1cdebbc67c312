import type { FailureReason, WithAccessToken } from '../connection.ts'
import { failureCode } from '../connection-status.ts'
import type { TokenError } from '../ports/intuit.ts'
import { nowSeconds } from '../timing.ts'
import { type RefreshAttempt, toLeaseEnd } from './attempt.ts'
import { answeredFailure, nextFailure } from './circuit-breaker.ts'
import { usableDespite } from './usable-token.ts'

/**
 * Records a failed refresh and releases the lease. Returns the old token if it is usable despite the failure, else
 * throws the problem of the failure.
 *
 * `isInFlight`: Intuit may still answer. The lease then becomes an embargo, so that nobody uses the token meanwhile.
 */
export async function recordFailure(
  attempt: RefreshAttempt,
  reason: FailureReason,
  { intuitError, intuitTid, retryAfterSeconds }: TokenError,
  isInFlight = false,
): Promise<WithAccessToken> {
  const { deps, request, connection: used, lease } = attempt
  const { connections, intuit, runtime, log, marginSeconds } = deps
  const { companyKey, environment } = used
  const client = await intuit.clientDigest(environment, companyKey)
  const failed = { reason, intuitError, intuitTid, retryAfterSeconds, client }
  log({
    ...{ event: 'refresh_failed', company_key: companyKey },
    ...{ code: failureCode(reason), intuit_error: intuitError, intuit_tid: intuitTid },
  })
  const next = nextFailure(used.failure, failed, nowSeconds(runtime))
  const failure = isInFlight ? { ...next, retryAt: Math.max(next.retryAt, Math.ceil(lease.until / 1000)) } : next
  const end = isInFlight ? 'embargo' : toLeaseEnd(attempt)
  await connections.fail(used, lease.owner, failure, end, reason).catch(() => undefined)
  const answered = answeredFailure(failure, failed, nowSeconds(runtime))
  return usableDespite(used, answered, request.forced, nowSeconds(runtime), marginSeconds())
}
