/** The choices of the protocol that can be made wrongly. A mutation turns one of them. */
export interface Rules {
  claim: 'unless a live lease stands' | 'always'
  usedRecord: 'what the claim returned' | 'what was read before it'
  /** Whether a repeated claim still knows that the first one took a lapsed lease over. */
  repeatedClaim: 'remembers the lapse' | 'forgets the lapse'
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
  /** What else lets a pair with the same refresh token in. By expiry, clocks that differ may let any in. */
  unrotated: 'generation and lease' | 'generation' | 'lease' | 'expiry'
  park: 'rotated pairs' | 'all pairs' | 'none'
  parked: 'one for each spent token' | 'the last one'
  recover: 'on condition' | 'unconditionally'
  /** What becomes of a request that is not answered in time. Nobody acquires its lease while it is listened to. */
  unanswered: 'listened to' | 'given up' | 'lease freed' | 'sent again'
  /** What a holder looks at before it sends again after a reset. */
  resend: 'record and clock' | 'record' | 'nothing'
  mark: 'hash and lease' | 'unconditionally'
  refusedAfterTakeover: 'unsettled' | 'dead'
  connect: 'consent as read' | 'not written by me' | 'generation' | 'unconditionally'
  erase: 'consent as read' | 'unconditionally'
  erases: 'tokens and hash' | 'tokens'
  /** Not ours to choose: whether a connection that was reset ends the request that it carried. */
  reset: 'ends the request' | 'may leave it under way'
}

export const PROTOCOL: Rules = {
  claim: 'unless a live lease stands',
  usedRecord: 'what the claim returned',
  repeatedClaim: 'remembers the lapse',
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
  parked: 'one for each spent token',
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
