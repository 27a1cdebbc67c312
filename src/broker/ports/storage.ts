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

/** What the broker needs of the table's connection records. Every call may throw `storage_unavailable`, and bears being applied twice. */
export interface ConnectionStore {
  /** The record as of now (strongly consistent); an expired unfinished one counts as absent. */
  read(companyKey: string, now: EpochSeconds): Promise<Connection | undefined>
  /** Makes an unfinished record where there is none, or keeps an unfinished one alive. Returns the record; a connected one is left as it is. */
  begin(companyKey: string, beginning: Beginning): Promise<Connection>
  /**
   * Stores the first pair of a consent, unless the record is connected to another realm or in the other environment, or
   * a later consent or a disconnect was stored meanwhile. Returns the record as it stands then.
   */
  connect(companyKey: string, consent: Consent): Promise<Connection>
  /** Takes the lease unless a live one of somebody else stands. */
  claim(companyKey: string, claim: Claim): Promise<Claimed>
  /** Gives the lease back, if it is still this owner's. */
  release(companyKey: string, owner: string, end: LeaseEnd): Promise<void>
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

export interface Beginning {
  companyName: string
  environment: Environment
  now: EpochSeconds
  expiresAt: EpochSeconds
}

export interface Consent {
  companyName: string
  environment: Environment
  realmId: string | undefined
  pair: StoredTokenPair
  /** When Intuit gave the pair: an older consent never overwrites a newer one. */
  at: EpochMs
  /** The change that this consent has seen on the record: it comes later than that one, whatever the clocks say. */
  after?: ConnectionChange | undefined
  writer: string
}

export interface Claim {
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
export type Claimed =
  | { outcome: 'claimed'; connection: Connection; isTakeover: boolean }
  | { outcome: 'held'; connection: Connection }
  | { outcome: 'gone' }

export interface Successor {
  pair: StoredTokenPair
  /** Whether Intuit gave another refresh token than the one that was spent. */
  rotated: boolean
  now: EpochSeconds
  writer: string
}

/** A second place for a pair that the table did not take, strongly consistent, keyed by what was spent for it. Every call may throw. */
export interface Rescue {
  park(companyKey: string, usedTokenHash: string, successor: Successor): Promise<void>
  find(companyKey: string, usedTokenHash: string): Promise<Successor | undefined>
  remove(companyKey: string, usedTokenHash: string): Promise<void>
}

export interface Erasure {
  writer: string
  at: EpochMs
  /** Kept beside the record, as it was stored, until its revocation is settled. */
  tokenToRevoke?: StoredToken | undefined
}

export interface Settlement {
  /** Who erased the tokens. */
  writer: string
  revocation: Exclude<Revocation, 'pending'>
  intuitTid: string | undefined
  now: EpochSeconds
}

/** The end of connections. Every call may throw `storage_unavailable`, and bears being applied twice. */
export interface DisconnectionStore {
  /** Removes the tokens of a record and all that belongs to them, and raises its generation. `false`: it changed since it was `seen`. */
  erase(seen: Connection, erasure: Erasure): Promise<boolean>
  /**
   * Records what became of the revocation and removes the token that was kept for it. `false`: the key was connected or
   * disconnected again, or another attempt has recorded the end of this revocation.
   */
  settle(companyKey: string, settlement: Settlement): Promise<boolean>
}

/** Notes which company key a realm was connected under. A note may be stale: the connection that it names tells. */
export interface RealmStore {
  /** The company key (strongly consistent). */
  findCompanyKey(environment: Environment, realmId: string): Promise<string | undefined>
  record(environment: Environment, realmId: string, companyKey: string, now: EpochSeconds): Promise<void>
  /** Removes the note, unless it names another key. */
  remove(environment: Environment, realmId: string, companyKey: string): Promise<void>
}

/** An OAuth state on its way: what start chose, for the callback to use. */
export interface AuthorizationState {
  nonce: string
  companyKey: string
  /** As given at start; `undefined` where none was given. */
  companyName: string | undefined
  environment: Environment
  /** SHA-256 of what the browser that began has to present, hexadecimal; `undefined` where any browser may end it. */
  browserHash: string | undefined
  /** The signed start link that was opened, so that a failed consent can lead back to it. */
  link: VerifiedLink | undefined
  createdAt: EpochSeconds
  expiresAt: EpochSeconds
}

export type { ConsentOutcome }

/** The visit that used a state. */
export interface StateClaim {
  id: string
  at: EpochMs
}

/** A state, and what became of it. `undefined`: nobody used it yet, or the visit that did has not come to its end. */
export interface FoundState extends AuthorizationState {
  claim: StateClaim | undefined
  outcome: ConsentOutcome | undefined
}

/** Every call may throw `storage_unavailable`, and is idempotent. */
export interface StateStore {
  put(state: AuthorizationState): Promise<void>
  /** Uses a state, once. `undefined`: unknown, foreign, expired, already used, or of another browser; then it is not used. */
  claim(
    nonce: string,
    companyKey: string,
    claim: StateClaim,
    browserHash?: string | undefined,
  ): Promise<AuthorizationState | undefined>
  /** Strongly consistent. */
  read(nonce: string): Promise<FoundState | undefined>
  /** Records what became of the visit that used the state, if `claimId` used it. */
  settle(nonce: string, claimId: string, outcome: ConsentOutcome): Promise<void>
}
