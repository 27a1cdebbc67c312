import type { Environment } from '../company.ts'
import type { EpochMs, Revocation } from '../connection.ts'

/**
 * Checks that a flow has all the configuration that it needs. Call it before the first step that cannot be undone. Each
 * throws `configuration_error` with the names of missing and malformed variables.
 */
export interface FlowSettings {
  requireConsent(environment: Environment): void
  requireRefresh(environment: Environment): void
  requireDisconnect(environment: Environment): void
}

/** Clock, sleep and randomness. They are arguments, so that tests can replace them. */
export interface Runtime {
  now(): EpochMs
  sleep(milliseconds: number): Promise<void>
  /** In [0, 1). */
  random(): number
  /** At least 128 random bits, in URL-safe characters. */
  nonce(): string
}

/** Keeps a promise alive after the response, and after the caller has disconnected (`ctx.waitUntil`). */
export type WaitUntil = (promise: Promise<unknown>) => void

/** An event in the background of a request. Contains no token, code, state, key or secret. */
export interface LogEvent {
  event:
    | 'pair_write_failed'
    | 'pair_not_stored'
    | 'pair_not_settled'
    | 'pair_recovered'
    | 'late_response'
    | 'background_refresh_failed'
    | 'refresh_failed'
    | 'consent_completed'
    | 'consent_failed'
    | 'consent_outcome_not_recorded'
    | 'disconnect_failed'
    | 'realm_shared'
    | 'realm_refused'
    | 'realm_not_recorded'
    | 'realm_proven'
    | 'realm_not_proven'
    | 'disconnected'
    | 'revocation_not_recorded'
    | 'replica_passed_over'
    | 'idle_refresh_failed'
  company_key: string
  /** The company key of the connection that has the same realm. */
  other_company_key?: string | undefined
  code?: string | undefined
  /** Why the company of a consent is not proven: a claim of the ID token, `format`, `missing` or `other_realm`. */
  reason?: string
  revocation?: Revocation
  intuit_tid?: string | undefined
  /** Intuit's own error code. */
  intuit_error?: string | undefined
  rescue?: 'bound' | 'not bound'
  parked?: boolean
  /** The region of a replica. */
  region?: string
}

export type Log = (event: LogEvent) => void
