import { type ProblemCode, toProblemCode } from '../../problem.ts'
import type { EpochSeconds } from '../connection.ts'
import type { WaitUntil } from '../ports/runtime.ts'
import type { RefreshDeps } from '../refresh/attempt.ts'
import { findStandingFailure } from '../refresh/circuit-breaker.ts'
import type { Refresh } from '../refresh/refresh.ts'
import { nowSeconds } from '../timing.ts'

/** The result of an idle refresh. `out of reach`: the cause would affect other connections, too. */
export type IdleRefresh = 'refreshed' | 'not due' | 'failed' | 'out of reach'

/** Problems of one connection alone. */
const CONNECTION_PROBLEMS: ReadonlySet<ProblemCode> = new Set([
  'reconnect_required',
  'missing_refresh_token',
  'connection_not_found',
  'sealed_token_unreadable',
  'refresh_in_progress',
])

interface RefreshIdleDeps extends Pick<RefreshDeps, 'connections' | 'intuit' | 'runtime' | 'log'> {
  refresh: Refresh
}

/** Refreshes connections that nobody uses, so that their refresh token does not expire. */
export function createRefreshIdle({ connections, intuit, runtime, log, refresh }: RefreshIdleDeps) {
  /**
   * Refreshes a connection that was last refreshed before `notSince`, or whose last refresh failed and may be repeated.
   * Never rejects: a failure is on the record and in the log.
   */
  return async (companyKey: string, notSince: EpochSeconds, waitUntil: WaitUntil): Promise<IdleRefresh> => {
    try {
      const connection = await connections.read(companyKey, nowSeconds(runtime))
      const isIdle = (connection?.lastRefreshAt ?? 0) <= notSince
      if (!connection?.refreshToken || !(isIdle || connection.failure)) return 'not due'
      if (await findStandingFailure(intuit, connection, nowSeconds(runtime), false)) return 'not due'
      const refreshed = await refresh(connection, false, waitUntil)
      return refreshed.generation > connection.generation ? 'refreshed' : 'out of reach'
    } catch (error) {
      const code = toProblemCode(error)
      log({ event: 'idle_refresh_failed', company_key: companyKey, code })
      return CONNECTION_PROBLEMS.has(code) ? 'failed' : 'out of reach'
    }
  }
}
