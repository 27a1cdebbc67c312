import { type Connection, type EpochSeconds, type FailureReason, type Holdings, isConnected } from './connection.ts'

/**
 * How a connection stands, in one word. The table in docs/operations.md defines each: routes, list, summary, alerts and
 * console all use `statusOf`.
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

const DAY_SECONDS = 24 * 3600
/** A refresh keeps a refresh token for some 100 days: one with less than this is near a death that no refresh prevents. */
export const EXPIRING_SECONDS = 30 * DAY_SECONDS

/** What tells a status: of a record, or of what the fleet index shows of it. */
export type Standing = Pick<
  Connection,
  'realmId' | 'generation' | 'refreshTokenExpiresAt' | 'refreshTokenHardExpiresAt' | 'failure'
>

/** The earlier of a refresh token's two deaths: 100 idle days, five years. `undefined` where nobody told. */
export function firstExpiry({
  refreshTokenExpiresAt,
  refreshTokenHardExpiresAt,
}: Pick<Connection, 'refreshTokenExpiresAt' | 'refreshTokenHardExpiresAt'>): EpochSeconds | undefined {
  const expiries = [refreshTokenExpiresAt, refreshTokenHardExpiresAt].filter((time) => time !== undefined)
  return expiries.length === 0 ? undefined : Math.min(...expiries)
}

/** Without a refresh token only a consent helps, whether an access token still works or none was ever stored. */
function statusWithoutRefreshToken({ realmId, generation }: Standing, { holdsAccessToken }: Holdings): Status {
  if (holdsAccessToken) return 'reconnect_required'
  return realmId === undefined && generation === 0 ? 'unfinished' : 'disconnected'
}

/** The status as of now. What Intuit said last counts more than what the calendar says. */
export function connectionStatus(standing: Standing, holds: Holdings, now: EpochSeconds): Status {
  const { failure } = standing
  if (!holds.holdsRefreshToken) return statusWithoutRefreshToken(standing, holds)
  const left = (firstExpiry(standing) ?? Number.POSITIVE_INFINITY) - now
  if (failure?.reason === 'invalid_grant' || left <= 0) return 'reconnect_required'
  if (failure) return 'failing'
  // A record written by hand with a refresh token alone: its first refresh completes it.
  if (!isConnected(holds)) return 'unfinished'
  return left < EXPIRING_SECONDS ? 'expiring' : 'connected'
}

/** The code that a caller of the token routes is answered for a failure. */
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

/** Whole days until a time, none of them begun; 0 where it has passed. */
export function daysLeft(until: EpochSeconds, now: EpochSeconds): number {
  return Math.max(0, Math.floor((until - now) / DAY_SECONDS))
}
