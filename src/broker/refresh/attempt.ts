import type { Connection, Lease, WithAccessToken } from '../connection.ts'
import { connectionNotFound, missingRefreshToken } from '../errors.ts'
import type { Vault } from '../ports/crypto.ts'
import type { AuthorizationServer } from '../ports/intuit.ts'
import type { FlowSettings, Log, Runtime } from '../ports/runtime.ts'
import type { ConnectionStore, LeaseEnd, Rescue } from '../ports/storage.ts'
import { nowSeconds, type Timing } from '../timing.ts'
import type { RefreshLimit } from './concurrency-limit.ts'
import { ifValid, type RefreshRequest } from './usable-token.ts'

export interface RefreshDeps {
  connections: ConnectionStore
  /** `undefined` if no rescue store is bound. */
  rescue: Rescue | undefined
  intuit: AuthorizationServer
  settings: Pick<FlowSettings, 'requireRefresh'>
  vault: Vault
  runtime: Runtime
  /** Read when it is needed: a wrong setting affects only what uses it. */
  timing(): Timing
  log: Log
  /** One per isolate. */
  limit: RefreshLimit
  marginSeconds(): number
}

/** One refresh under an acquired lease: what is refreshed, for whom, by which lease, until when. */
export interface RefreshAttempt {
  deps: RefreshDeps
  request: RefreshRequest
  /** The record as it was when the lease was acquired. It holds the refresh token to use. */
  connection: Connection
  lease: Lease
  /**
   * Whether the lease of another holder had lapsed: that holder may have used the token and not stored its successor.
   */
  isTakeover: boolean
}

/** The refresh token that an attempt uses. */
export interface RefreshToken {
  /** The token itself. */
  value: string
  /** SHA-256, hexadecimal: the condition of the write that replaces it. */
  hash: string
}

/**
 * The state in which an attempt leaves the lease. A lease that was taken over stays lapsed, so that the next holder
 * also asks the rescue store.
 */
export function toLeaseEnd({ deps, isTakeover }: RefreshAttempt): LeaseEnd {
  return isTakeover ? { lapsedAt: deps.runtime.now() } : 'free'
}

/** Releases the lease. Never rejects: a lease that cannot be released lapses. */
export async function releaseLease(attempt: RefreshAttempt): Promise<void> {
  const { deps, connection, lease } = attempt
  const { companyKey } = connection
  await deps.connections.releaseLease(companyKey, lease.owner, toLeaseEnd(attempt)).catch(() => undefined)
}

/** The record if another writer stored a token pair after the lease was acquired. Throws `connection_not_found`. */
export async function findNewer({ deps, connection }: RefreshAttempt): Promise<Connection | undefined> {
  const current = await deps.connections.read(connection.companyKey, nowSeconds(deps.runtime))
  if (!current) throw connectionNotFound()
  return current.generation > connection.generation ? current : undefined
}

/**
 * The result if another writer was first. `again`: its access token has expired meanwhile. Throws `connection_not_found`
 * or `missing_refresh_token`.
 */
export function useNewer({ deps }: RefreshAttempt, current: Connection | undefined): WithAccessToken | 'again' {
  if (!current) throw connectionNotFound()
  const valid = ifValid(current, nowSeconds(deps.runtime))
  if (valid) return valid
  if (!current.refreshToken) throw missingRefreshToken(current.companyKey)
  return 'again'
}
