import { Hono } from 'hono'
import type { Broker } from '../broker/broker.ts'
import { parseCompanyKey } from '../broker/company.ts'
import { type Connection, type EpochSeconds, type Failure, holdings, isConnected } from '../broker/connection.ts'
import { connectionStatus, daysLeft, failureCode } from '../broker/connection-status.ts'
import { isFinal } from '../broker/refresh/circuit-breaker.ts'
import type { RefreshHistoryEntry } from '../broker/refresh/history.ts'
import { nowSeconds } from '../broker/timing.ts'
import { requirePermission } from '../middleware/api-key.ts'
import type { ConnectionStatusBody, ErrorBody, RefreshBody } from './schemas/status.ts'

/** Why there is no newer token, with the problem code of the token routes. */
export function errorBody({ reason, at, intuitTid }: Failure): ErrorBody {
  return {
    code: failureCode(reason),
    at,
    intuit_tid: intuitTid ?? null,
  }
}

function refreshBody({ at, outcome, count }: RefreshHistoryEntry): RefreshBody {
  if (outcome === 'rotated' || outcome === 'kept') return { at, outcome: 'refreshed', rotated: outcome === 'rotated' }
  return { at, outcome: failureCode(outcome), attempts: count }
}

function nextAttempt({ failure }: Connection) {
  return failure && !isFinal(failure) ? failure.retryAt : null
}

function leftUntil(time: EpochSeconds | undefined, now: EpochSeconds) {
  return time === undefined ? null : daysLeft(time, now)
}

function disconnectionBody({ disconnection }: Connection) {
  if (!disconnection) return null
  const { at, revocation, intuitTid } = disconnection
  return { at, revocation, intuit_tid: intuitTid ?? null }
}

/** The status of a connection. Values that are unknown or do not apply are `null`. */
function statusBody(connection: Connection, now: EpochSeconds, reconnectUrl: string | undefined): ConnectionStatusBody {
  const { refreshTokenExpiresAt, refreshTokenHardExpiresAt, failure } = connection
  const holds = holdings(connection)
  return {
    company_key: connection.companyKey,
    company_name: connection.companyName,
    environment: connection.environment,
    connected: isConnected(holds),
    status: connectionStatus(connection, holds, now),
    generation: connection.generation,
    realm_proven_at: connection.realmProvenAt ?? null,
    last_refresh_at: connection.lastRefreshAt ?? null,
    refresh_token_expires_at: refreshTokenExpiresAt ?? null,
    refresh_token_days_left: leftUntil(refreshTokenExpiresAt, now),
    refresh_token_hard_expires_at: refreshTokenHardExpiresAt ?? null,
    refresh_token_hard_days_left: leftUntil(refreshTokenHardExpiresAt, now),
    last_error: failure ? { ...errorBody(failure), since: failure.since, attempts: failure.count } : null,
    next_attempt_at: nextAttempt(connection),
    refreshes: connection.refreshes.map(refreshBody).reverse(),
    disconnection: disconnectionBody(connection),
    reconnect_url: reconnectUrl ?? null,
  }
}

/** `GET /api/connections/{company_key}/status`. `now` in milliseconds. */
export function statusRoutes(broker: Broker, now: () => number) {
  return new Hono().get('/:company_key{[^/]*}/status', requirePermission('connection:read'), async (c) => {
    const companyKey = parseCompanyKey(c.req.param('company_key') ?? '')
    const connection = await broker.connection(companyKey)
    return c.json(statusBody(connection, nowSeconds({ now }), broker.startUrl(companyKey, undefined)))
  })
}
