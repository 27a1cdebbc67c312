/** The choices of the protocol. A mutation makes one of them wrong. */
export interface Rules {
  claim: 'unless a live lease stands' | 'always'
  usedRecord: 'what the claim returned' | 'what was read before it'
  /** Whether a repeated claim keeps the mark that the first one took over a lapsed lease. */
  repeatedClaim: 'keeps the lapse' | 'forgets the lapse'
  ask: 'after a takeover' | 'never'
  rescueOutOfReach: 'give back' | 'use'
  rescueHasSuccessor: 'store it' | 'use'
  /** State of a lease after a takeover, if it is released and no token pair was stored. */
  releaseLease: 'lapsed' | 'free'
  /** The same after a failed refresh. */
  failure: 'lapsed' | 'free after invalid_grant' | 'free'
  /** The same after a pair with the same refresh token was stored: the paused holder can still have it rotated. */
  sameToken: 'lapsed' | 'free'
  leaseCheck: 'before the use' | 'none'
  store: 'hash' | 'hash and lease' | 'nothing'
  /** The further condition for a token pair with the same refresh token. */
  unrotated: 'generation and lease' | 'generation' | 'lease' | 'expiry'
  park: 'rotated pairs' | 'all pairs' | 'none'
  parked: 'one for each used token' | 'the last one'
  recover: 'on condition' | 'unconditionally'
  /** What happens to a request without a response in time. While it is listened to, no other holder acquires the lease. */
  unanswered: 'listened to' | 'given up' | 'lease freed' | 'sent again'
  /** What a holder checks before it repeats a request after a connection reset. */
  resend: 'record and clock' | 'record' | 'nothing'
  mark: 'hash and lease' | 'unconditionally'
  refusedAfterTakeover: 'unsettled' | 'dead'
  connect: 'consent as read' | 'not written by me' | 'generation' | 'unconditionally'
  erase: 'consent as read' | 'unconditionally'
  erases: 'tokens and hash' | 'tokens'
  /** A property of the network: whether a connection reset ends the request. */
  reset: 'ends the request' | 'may leave it under way'
}

/** The protocol of this service. */
export const PROTOCOL: Rules = {
  claim: 'unless a live lease stands',
  usedRecord: 'what the claim returned',
  repeatedClaim: 'keeps the lapse',
  ask: 'after a takeover',
  rescueOutOfReach: 'give back',
  rescueHasSuccessor: 'store it',
  releaseLease: 'lapsed',
  failure: 'lapsed',
  sameToken: 'lapsed',
  leaseCheck: 'before the use',
  store: 'hash',
  unrotated: 'generation and lease',
  park: 'rotated pairs',
  parked: 'one for each used token',
  recover: 'on condition',
  unanswered: 'listened to',
  resend: 'record and clock',
  mark: 'hash and lease',
  refusedAfterTakeover: 'unsettled',
  connect: 'consent as read',
  erase: 'consent as read',
  erases: 'tokens and hash',
  reset: 'ends the request',
}

/** What can happen in an exploration. */
export interface World {
  holders: number
  crashes: number
  /** Messages that are lost or late. */
  faults: number
  /** Whether the use of a superseded token ends the connection, or is only rejected. */
  strict: boolean
  /**
   * When a lease may lapse with its holder alive. `never`: no holder, and no message of one, outlives its lease.
   * `before the use`: a holder may sleep until its last check of the lease. `always`.
   */
  sleeps: 'never' | 'before the use' | 'always'
  consent: boolean
  disconnect: boolean
  rules: Rules
}
