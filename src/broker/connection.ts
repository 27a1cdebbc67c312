import type { Environment } from './company.ts'
import type { RefreshHistoryEntry } from './refresh/history.ts'

/** Seconds since the Unix epoch. All times on the wire and in the record are in this unit. */
export type EpochSeconds = number
/** Milliseconds since the Unix epoch, for leases and deadlines. */
export type EpochMs = number

/** A token as it is stored: encrypted if keys are configured, else plain. The `Vault` decrypts it. */
export type StoredToken = string

/** A token pair from Intuit's token endpoint, with expiry times instead of lifetimes. */
export interface TokenPair {
  accessToken: string
  accessTokenExpiresAt: EpochSeconds
  refreshToken: string
  refreshTokenExpiresAt: EpochSeconds
  /** The end of the five years that no refresh extends. `undefined` if Intuit does not say. */
  refreshTokenHardExpiresAt: EpochSeconds | undefined
}

/** A token pair to store. */
export interface StoredTokenPair extends Omit<TokenPair, 'accessToken' | 'refreshToken'> {
  accessToken: StoredToken
  refreshToken: StoredToken
  /** SHA-256 of the refresh token itself, hexadecimal. */
  refreshTokenHash: string
}

/**
 * Why Intuit issued no tokens. Only `invalid_grant` is about the token or code. `request_rejected`: another error of RFC
 * 6749 section 5.2, so the request or the app's configuration is wrong. `unavailable`: transient.
 */
export type TokenErrorReason = 'invalid_grant' | 'invalid_client' | 'request_rejected' | 'unavailable'
/**
 * `unsettled`: an `invalid_grant` whose cause may be another holder that has used the token and not stored its
 * successor yet.
 */
export type FailureReason = TokenErrorReason | 'unsettled'

/** The failed refreshes since the last successful one. */
export interface Failure {
  reason: FailureReason
  /** Intuit's own error code. `undefined` if its response had none. */
  intuitError: string | undefined
  intuitTid: string | undefined
  /** How many in a row, and since when. */
  count: number
  since: EpochSeconds
  at: EpochSeconds
  /** Before this time, only a forced refresh calls Intuit. */
  retryAt: EpochSeconds
  /** Before this time, not even a forced refresh calls Intuit: its `Retry-After`. */
  notBefore: EpochSeconds | undefined
  /** Digest of the client credentials, if they may be the cause. */
  client: string | undefined
}

/**
 * Whether Intuit has revoked an erased token. `unconfirmed`: unknown, and not retried. `pending`: still being retried.
 */
export type Revocation = 'confirmed' | 'unconfirmed' | 'pending'

/** The last disconnect of a record. */
export interface Disconnection {
  at: EpochSeconds
  revocation: Revocation
  intuitTid: string | undefined
  /** The token to revoke, as it was stored. No response contains it. */
  token?: StoredToken
}

/** The last consent or disconnect of a record. */
export interface ConnectionChange {
  at: EpochMs
  /** The id of the writer. It recognizes its own write by this id if the response was lost. */
  by: string
}

export interface Lease {
  owner: string
  until: EpochMs
}

/** The lease owner of a request to Intuit that may still be in flight, and whose caller already has its response. */
export const EMBARGO = 'nobody'

/** The stored record of a company. `undefined`: not known, or not known yet. */
export interface Connection {
  companyKey: string
  companyName: string
  environment: Environment
  realmId: string | undefined
  /** When an ID token of Intuit named this company. `undefined`: only the browser named it. */
  realmProvenAt: EpochSeconds | undefined
  accessToken: StoredToken | undefined
  accessTokenExpiresAt: EpochSeconds | undefined
  refreshToken: StoredToken | undefined
  refreshTokenExpiresAt: EpochSeconds | undefined
  /** The end of the five years that no refresh extends. `undefined` if Intuit did not say. */
  refreshTokenHardExpiresAt: EpochSeconds | undefined
  createdAt: EpochSeconds | undefined
  updatedAt: EpochSeconds | undefined
  lastRefreshAt: EpochSeconds | undefined
  /** Grows by one with every stored token pair. 0: none was stored yet. */
  generation: number
  /** SHA-256 of the refresh token. A record written by hand has none. */
  refreshTokenHash: string | undefined
  /** The id of the writer of the token pair. It recognizes its own write by this id if the response was lost. */
  writtenBy: string | undefined
  lease: Lease | undefined
  failure: Failure | undefined
  /** Set if the company was disconnected and has not been connected again. */
  disconnection: Disconnection | undefined
  /** `undefined` in a record written by hand. */
  lastChange: ConnectionChange | undefined
  /** The last refreshes, newest last. */
  refreshes: readonly RefreshHistoryEntry[]
}

export type WithAccessToken = Connection & { accessToken: StoredToken; accessTokenExpiresAt: EpochSeconds }

/** The fields of a record that are returned and cached with its access token. */
export type HandedOut = Pick<
  WithAccessToken,
  | 'companyKey'
  | 'companyName'
  | 'environment'
  | 'realmId'
  | 'accessTokenExpiresAt'
  | 'refreshTokenExpiresAt'
  | 'updatedAt'
  | 'lastRefreshAt'
  | 'generation'
>

/** A decrypted access token and its record. */
export interface UsableToken {
  accessToken: string
  connection: HandedOut
}

/** Whether the record has an access token, valid or not. */
export function holdsAccessToken(connection: Connection): connection is WithAccessToken {
  return connection.accessToken !== undefined && connection.accessTokenExpiresAt !== undefined
}

/**
 * The longest plausible lifetime of an access token. Intuit grants an hour. A record that says more was written by hand
 * or with a wrong clock, and a response that says more has another unit, such as milliseconds.
 */
export const MAX_ACCESS_SECONDS = 86_400

/** Whether the access token is valid for more than `marginSeconds`, by an expiry time that is plausible. */
export function isFresh(
  connection: Connection,
  now: EpochSeconds,
  marginSeconds: number,
): connection is WithAccessToken {
  if (!holdsAccessToken(connection)) return false
  const leftSeconds = connection.accessTokenExpiresAt - now
  return leftSeconds > marginSeconds && leftSeconds <= MAX_ACCESS_SECONDS
}

/**
 * The time of a consent or disconnect. It is later than the change that it has read, even if the clocks of two Workers
 * differ.
 */
export function changeTime({ at, after }: { at: EpochMs; after?: ConnectionChange | undefined }): EpochMs {
  return Math.max(at, (after?.at ?? 0) + 1)
}

/** Whether the record has an access token or a refresh token. */
export function holdsTokens({ accessToken, refreshToken }: Connection): boolean {
  return accessToken !== undefined || refreshToken !== undefined
}

/**
 * The name that belongs to the company. For a record that was never connected, this is the company key: the stored name
 * comes from a start link that anybody may have opened.
 */
export function findOwnName(connection: Connection): string {
  const { companyKey, companyName, generation, lastChange, disconnection } = connection
  const wasConnected = generation > 0 || lastChange !== undefined || disconnection !== undefined
  return wasConnected || holdsTokens(connection) ? companyName : companyKey
}

/** Which tokens a record has. The fleet index has this information too. */
export interface Holdings {
  holdsAccessToken: boolean
  holdsRefreshToken: boolean
}

export function holdings({ accessToken, refreshToken }: Connection): Holdings {
  return { holdsAccessToken: accessToken !== undefined, holdsRefreshToken: refreshToken !== undefined }
}

/** `connected` of the API reference: whether access and refresh tokens are stored. Intuit may still reject them. */
export function isConnected({ holdsAccessToken, holdsRefreshToken }: Holdings): boolean {
  return holdsAccessToken && holdsRefreshToken
}
