import { type Connection, type EpochSeconds, type FailureReason, type Holdings, isConnected } from './connection.ts'
import { DAY_SECONDS } from './timing.ts'

/**
 * The status of a connection in one word. docs/operations.md defines each. Routes, list, summary, alerts and console use
 * `connectionStatus`.
 */
export const STATUSES = [
  'connected',
  'expiring',
  'failing',
  'reconnect_required',
  'unfinished',
  'disconnected',
] as const
export type Status = (typeof STATUSES)[number]

/**
 * A refresh extends a refresh token to about 100 days. One with less than this is close to an end that no refresh
 * prevents.
 */
export const EXPIRING_SECONDS = 30 * DAY_SECONDS

/** What the status depends on. A record and an entry of the fleet index have it. */
export type Standing = Pick<
  Connection,
  'realmId' | 'generation' | 'refreshTokenExpiresAt' | 'refreshTokenHardExpiresAt' | 'failure'
>

/** The earlier end of a refresh token: after 100 idle days or five years. `undefined` if both are unknown. */
export function firstExpiry({
  refreshTokenExpiresAt,
  refreshTokenHardExpiresAt,
}: Pick<Connection, 'refreshTokenExpiresAt' | 'refreshTokenHardExpiresAt'>): EpochSeconds | undefined {
  const expiries = [refreshTokenExpiresAt, refreshTokenHardExpiresAt].filter((time) => time !== undefined)
  return expiries.length === 0 ? undefined : Math.min(...expiries)
}

/** Without a refresh token, only a new consent helps. */
function statusWithoutRefreshToken({ realmId, generation }: Standing, { holdsAccessToken }: Holdings): Status {
  if (holdsAccessToken) return 'reconnect_required'
  return realmId === undefined && generation === 0 ? 'unfinished' : 'disconnected'
}

/** The status at `now`. Intuit's last response counts more than the expiry times. */
export function connectionStatus(standing: Standing, holds: Holdings, now: EpochSeconds): Status {
  const { failure } = standing
  if (!holds.holdsRefreshToken) return statusWithoutRefreshToken(standing, holds)
  const left = (firstExpiry(standing) ?? Number.POSITIVE_INFINITY) - now
  if (failure?.reason === 'invalid_grant' || left <= 0) return 'reconnect_required'
  if (failure) return 'failing'
  // A record written by hand may have only a refresh token. The first refresh completes it.
  if (!isConnected(holds)) return 'unfinished'
  return left < EXPIRING_SECONDS ? 'expiring' : 'connected'
}

/** The problem code of the token routes for a failure. */
export function failureCode(reason: FailureReason) {
  return (
    {
      invalid_grant: 'reconnect_required',
      invalid_client: 'intuit_rejected_client',
      request_rejected: 'token_exchange_failed',
      unavailable: 'intuit_unavailable',
      unsettled: 'refresh_in_progress',
    } as const
  )[reason]
}

/** Complete days until a time. 0 if it has passed. */
export function daysLeft(until: EpochSeconds, now: EpochSeconds): number {
  return Math.max(0, Math.floor((until - now) / DAY_SECONDS))
}
