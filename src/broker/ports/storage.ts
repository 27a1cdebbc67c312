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
  /** Takes the lease unless a live one of somebody else stands. */
  acquireLease(companyKey: string, lease: LeaseRequest): Promise<LeaseAcquisition>
  /** Gives the lease back, if it is still this owner's. */
  releaseLease(companyKey: string, owner: string, end: LeaseEnd): Promise<void>
  /**
   * Stores the successor of the token of `spent`, in one attempt. A rotated one needs nothing but that the spent token
   * is still the stored one, and settles every lapse. One that is not rotated needs the lease, too: without it somebody
   * else has refreshed, or will. `undefined`: refused.
   */
  replace(used: Connection, successor: Successor, end: LeaseEnd): Promise<Connection | undefined>
  /**
   * Records a failed refresh and releases the lease, unless `spent` was replaced or the lease lost meanwhile. `outcome`,
   * for the history: of an attempt before its time another failure may stand than the one it met.
   */
  fail(
    used: Connection,
    owner: string,
    failure: Failure,
    end: LeaseEnd | 'embargo',
    outcome: FailureReason,
  ): Promise<void>
}

/** Where a request came in, as far as Cloudflare tells. */
export interface CallerLocation {
  /** In Cloudflare's two letters; anything else where it is not known. */
  continent: string
  /** In degrees, the west negative. */
  longitude: number | undefined
}

/** Copies of the table in other regions. What they tell is out of date by the lag of replication, seconds as a rule. */
export interface Replicas {
  /**
   * The record as the replica nearest to the caller has it. `undefined`: it has none or does not answer, or the home
   * region is nearer; only the home region knows then. Throws `configuration_error` alone.
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
  /** Asked before a claim that failed is tried again; so it is if absent. */
  mayRetry?: (() => boolean) | undefined
}

/**
 * How a lease ends. `lapsedAt`: it was itself taken over, and stays so until another refresh token is stored: whoever
 * claims next asks what former holders may have left. `embargo`: the request to Intuit may still be under way, so
 * nobody claims before the lease has run out.
 */
export type LeaseEnd = 'free' | { lapsedAt: EpochMs }

/** `tookOver`: a lease had lapsed, so its holder may have spent the token and not come to store the successor. */
export type LeaseAcquisition =
  | { outcome: 'acquired'; connection: Connection; isTakeover: boolean }
  | { outcome: 'held'; connection: Connection }
  | { outcome: 'not_found' }

export interface Successor {
  pair: StoredTokenPair
  /** Whether Intuit gave another refresh token than the one that was spent. */
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
