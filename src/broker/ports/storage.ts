import type { ConsentOutcome } from '../../problem.ts'
import type { Environment } from '../company.ts'
import type {
  Connection,
  ConnectionChange,
  EpochMs,
  EpochSeconds,
  Failure,
  FailureReason,
  Revocation,
  StoredToken,
  StoredTokenPair,
} from '../connection.ts'
import type { VerifiedLink } from './crypto.ts'
import type { RequestBinding } from './intuit.ts'

/** The connection records of the table. Every call is idempotent and can throw `storage_unavailable`. */
export interface ConnectionStore {
  /** The record (strongly consistent). `undefined`: there is none, or it is unfinished and has expired. */
  read(companyKey: string, now: EpochSeconds): Promise<Connection | undefined>
  /**
   * Creates an unfinished record, or extends the life of an unfinished one. Does not change a connected record. Returns
   * the record.
   */
  begin(companyKey: string, beginning: Beginning): Promise<Connection>
  /**
   * Stores the token pair of a consent, unless the record is connected to another realm or environment, or has a later
   * consent or disconnect. Returns the record after the write.
   */
  connect(companyKey: string, consent: Consent): Promise<Connection>
  /** Acquires the lease, unless another owner has one that has not lapsed. */
  acquireLease(companyKey: string, lease: LeaseRequest): Promise<LeaseAcquisition>
  /** Releases the lease, if this owner still has it. */
  releaseLease(companyKey: string, owner: string, end: LeaseEnd): Promise<void>
  /**
   * Stores the successor of the refresh token of `used`, in one attempt. The condition for a rotated token pair is only that
   * the used token is still the stored one; it ends every lapse. A token pair that is not rotated also needs the lease:
   * without it, another holder has refreshed or will. `undefined`: the condition was not met.
   */
  replace(used: Connection, successor: Successor, end: LeaseEnd): Promise<Connection | undefined>
  /**
   * Records a failed refresh and releases the lease, unless the token of `used` was replaced or the lease was lost. `outcome`
   * is for the history: after an early attempt, the recorded failure can have another reason than the attempt.
   */
  fail(
    used: Connection,
    owner: string,
    failure: Failure,
    end: LeaseEnd | 'embargo',
    outcome: FailureReason,
  ): Promise<void>
}

/** Where the caller is, according to Cloudflare. */
export interface CallerLocation {
  /** Cloudflare's two letters. Any other text: unknown. */
  continent: string
  /** In degrees, negative in the west. */
  longitude: number | undefined
}

/** Replicas of the table in other regions. Their records are older by the replication lag, usually seconds. */
export interface Replicas {
  /**
   * The record from the replica nearest to the caller. `undefined`: the replica has none or does not respond, or the primary
   * region is nearer. Then read the primary region. Throws only `configuration_error`.
   */
  read(companyKey: string, from: CallerLocation): Promise<Connection | undefined>
}

/** An unfinished record. */
export interface Beginning {
  companyName: string
  environment: Environment
  now: EpochSeconds
  expiresAt: EpochSeconds
}

/** What an ID token proved about a consent. */
export interface CompanyProof {
  /** SHA-256 of Intuit's `sub` for the person who consented, salted with the company key; hexadecimal. */
  subjectHash: string
}

/** The token pair of a consent, and what to store with it. */
export interface Consent {
  companyName: string
  environment: Environment
  realmId: string | undefined
  /** `undefined`: only the browser named the company. */
  proof?: CompanyProof | undefined
  /** Whether the start link was signed. Then the consent may replace a connected record that names no company. */
  isInvited?: boolean
  pair: StoredTokenPair
  /** When Intuit issued the token pair. An older consent never overwrites a newer one. */
  at: EpochMs
  /** The last change of the record that this consent has read. The consent counts as later, even if clocks differ. */
  after?: ConnectionChange | undefined
  writer: string
}

export interface LeaseRequest {
  owner: string
  now: EpochMs
  until: EpochMs
  /** Whether a failed write may be repeated. Default: yes. */
  mayRetry?: (() => boolean) | undefined
}

/**
 * The state in which a lease is left. `lapsedAt`: the lease was taken over, and counts as lapsed until another refresh token
 * is stored. The next holder then asks the rescue store for what former holders have parked.
 */
export type LeaseEnd = 'free' | { lapsedAt: EpochMs }

/**
 * The result of acquiring a lease. `isTakeover`: another lease had lapsed, so its holder may have used the token
 * without storing its successor.
 */
export type LeaseAcquisition =
  | { outcome: 'acquired'; connection: Connection; isTakeover: boolean }
  | { outcome: 'held'; connection: Connection }
  | { outcome: 'not_found' }

export interface Successor {
  pair: StoredTokenPair
  /** Whether the refresh token is another one than the used one. */
  rotated: boolean
  now: EpochSeconds
  writer: string
}

/**
 * A second store for token pairs that could not be written to the table, keyed by the hash of the used token. It is
 * strongly consistent. Every call can throw.
 */
export interface Rescue {
  park(companyKey: string, usedTokenHash: string, successor: Successor): Promise<void>
  find(companyKey: string, usedTokenHash: string): Promise<Successor | undefined>
  remove(companyKey: string, usedTokenHash: string): Promise<void>
}

/** The write that erases the tokens of a record. */
export interface Erasure {
  writer: string
  at: EpochMs
  /** A token of the grant, as it was stored. It is kept until its revocation is settled. */
  tokenToRevoke?: StoredToken | undefined
}

/** The final result of a revocation. */
export interface Settlement {
  /** The writer that erased the tokens. */
  writer: string
  revocation: Exclude<Revocation, 'pending'>
  intuitTid: string | undefined
  now: EpochSeconds
}

/** Disconnects. Every call is idempotent and can throw `storage_unavailable`. */
export interface DisconnectionStore {
  /**
   * Erases the tokens of a record with their hash, lease and failure, and raises its generation. `false`: the record has
   * changed since `seen` was read.
   */
  erase(seen: Connection, erasure: Erasure): Promise<boolean>
  /**
   * Records the result of the revocation and removes the token that was kept for it. `false`: the key was connected or
   * disconnected again, or the record has the result of another attempt.
   */
  settle(companyKey: string, settlement: Settlement): Promise<boolean>
}

/**
 * Which company key a realm was last connected under. It can be out of date: only the connection record says whether the
 * key still has the realm. Every call is idempotent and can throw `storage_unavailable`.
 */
export interface RealmStore {
  /** The company key (strongly consistent). */
  findCompanyKey(environment: Environment, realmId: string): Promise<string | undefined>
  /** Records the company key of a realm. Replaces another key. */
  record(environment: Environment, realmId: string, companyKey: string, now: EpochSeconds): Promise<void>
  /** Removes the entry, unless it has another key. */
  remove(environment: Environment, realmId: string, companyKey: string): Promise<void>
}

/** An OAuth state: what start stores for the callback. */
export interface AuthorizationState {
  nonce: string
  companyKey: string
  /** The name in the start request; `undefined` if it had none. */
  companyName: string | undefined
  environment: Environment
  /**
   * SHA-256 of the secret that the browser has to send, hexadecimal. `undefined`: the consent can be completed in any
   * browser.
   */
  browserHash: string | undefined
  /** The signed start link that was opened. A failed consent links back to it. */
  link: VerifiedLink | undefined
  binding: RequestBinding
  createdAt: EpochSeconds
  expiresAt: EpochSeconds
}

export type { ConsentOutcome }

/** The visit that used a state. */
export interface StateClaim {
  /** Identifies the visit. */
  id: string
  at: EpochMs
}

/** A stored state. */
export interface FoundState extends AuthorizationState {
  /** `undefined`: the state is unused. */
  claim: StateClaim | undefined
  /** `undefined`: the state is unused, or the visit that used it has not recorded its outcome. */
  outcome: ConsentOutcome | undefined
}

/** OAuth states. Every call is idempotent and can throw `storage_unavailable`. */
export interface StateStore {
  put(state: AuthorizationState): Promise<void>
  /**
   * Claims a state, so that no other visit can use it. `undefined`: it is unknown, expired, already used, or belongs to
   * another company key or browser. Then nothing is written.
   */
  claim(
    nonce: string,
    companyKey: string,
    claim: StateClaim,
    browserHash?: string | undefined,
  ): Promise<AuthorizationState | undefined>
  /** Strongly consistent. */
  read(nonce: string): Promise<FoundState | undefined>
  /** Records the outcome of the visit, if `claimId` is the id of its claim. */
  settle(nonce: string, claimId: string, outcome: ConsentOutcome): Promise<void>
}
