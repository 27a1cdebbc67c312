import { PROMISES } from './promises.ts'
import { PROTOCOL, type Rules, type World } from './rules.ts'

/** Two holders, one crash and one fault. The use of a superseded token ends the connection. */
export const world = (change: Partial<World> = {}): World => ({
  holders: 2,
  crashes: 1,
  faults: 1,
  strict: true,
  sleeps: 'never',
  consent: false,
  disconnect: false,
  rules: PROTOCOL,
  ...change,
})

const TWO_FAULTS = { crashes: 2, faults: 2 }
const DOZING = { sleeps: 'before the use' } as const
const SLEEPING = { sleeps: 'always', strict: false } as const
const THREE_SLEEPING = { ...SLEEPING, holders: 3, crashes: 1, faults: 0 } as const
const CONSENT = { consent: true, crashes: 0 }
const DISCONNECT = { disconnect: true, crashes: 0 }

interface Mutation {
  name: string
  rules: Partial<Rules>
  in: Partial<World>
  breaks: string
}

/** Errors in the protocol, each with the smallest world that shows it and the guarantee that it breaks. */
export const MUTATIONS: Mutation[] = [
  { name: 'acquires a live lease of another holder', rules: { claim: 'always' }, in: {}, breaks: PROMISES.overlap },
  {
    name: 'uses the token that it read before it acquired the lease',
    rules: { usedRecord: 'what was read before it' },
    in: {},
    breaks: PROMISES.follows,
  },
  {
    name: 'loses the mark of a takeover when it repeats the write that acquires the lease',
    rules: { repeatedClaim: 'forgets the lapse' },
    in: TWO_FAULTS,
    breaks: PROMISES.follows,
  },
  {
    name: 'takes a lapsed lease over without a read of the rescue store',
    rules: { ask: 'never' },
    in: {},
    breaks: PROMISES.follows,
  },
  {
    name: 'uses the token although the rescue store is out of reach',
    rules: { rescueOutOfReach: 'use' },
    in: TWO_FAULTS,
    breaks: PROMISES.follows,
  },
  {
    name: 'uses the token although the rescue store has the successor',
    rules: { rescueHasSuccessor: 'use' },
    in: {},
    breaks: PROMISES.follows,
  },
  {
    name: 'loses the mark of a lapse when it releases a lease after a takeover',
    rules: { releaseLease: 'free' },
    in: { holders: 3, crashes: 1, faults: 2 },
    breaks: PROMISES.follows,
  },
  {
    name: 'loses the mark of a lapse when Intuit is unavailable or rejects the token',
    rules: { failure: 'free' },
    in: { ...SLEEPING, holders: 3, crashes: 0 },
    breaks: PROMISES.marked,
  },
  {
    name: 'loses the mark of a lapse when it records invalid_grant as unsettled',
    rules: { failure: 'free after invalid_grant' },
    in: { ...SLEEPING, holders: 3, crashes: 0 },
    breaks: PROMISES.follows,
  },
  {
    name: 'loses the mark of a lapse when it stores a token pair with the same refresh token',
    rules: { sameToken: 'free' },
    in: THREE_SLEEPING,
    breaks: PROMISES.marked,
  },
  {
    name: 'uses the token without a last check of its lease',
    rules: { leaseCheck: 'none' },
    in: DOZING,
    breaks: PROMISES.overlap,
  },
  {
    name: 'stores a rotated token pair only while it holds the lease',
    rules: { store: 'hash and lease' },
    in: SLEEPING,
    breaks: PROMISES.lost,
  },
  { name: 'stores a token pair without a condition', rules: { store: 'nothing' }, in: {}, breaks: PROMISES.twice },
  {
    name: 'lets a paused holder store a token pair with the same refresh token, which releases another holder’s lease',
    rules: { unrotated: 'generation' },
    in: THREE_SLEEPING,
    breaks: PROMISES.marked,
  },
  {
    name: 'stores a token pair with the same refresh token if it holds the lease, which a late write may restore',
    rules: { unrotated: 'lease' },
    in: TWO_FAULTS,
    breaks: PROMISES.older,
  },
  {
    name: 'compares the expiry times of token pairs with the same refresh token, although clocks differ',
    rules: { unrotated: 'expiry' },
    in: {},
    breaks: PROMISES.older,
  },
  {
    name: 'parks token pairs with the same refresh token, which replace a rotated one',
    rules: { park: 'all pairs' },
    in: TWO_FAULTS,
    breaks: PROMISES.lost,
  },
  { name: 'parks nothing', rules: { park: 'none' }, in: {}, breaks: PROMISES.lost },
  {
    name: 'keeps only the last parked token pair',
    rules: { parked: 'the last one' },
    in: TWO_FAULTS,
    breaks: PROMISES.lost,
  },
  {
    name: 'stores a parked token pair without a condition',
    rules: { recover: 'unconditionally' },
    in: SLEEPING,
    breaks: PROMISES.twice,
  },
  {
    name: 'releases the lease while a request that timed out may be under way',
    rules: { unanswered: 'lease freed' },
    in: {},
    breaks: PROMISES.overlap,
  },
  {
    name: 'ignores the late response of a request that timed out',
    rules: { unanswered: 'given up' },
    in: { crashes: 0 },
    breaks: PROMISES.lost,
  },
  {
    name: 'repeats the request after a timeout',
    rules: { unanswered: 'sent again' },
    in: {},
    breaks: PROMISES.overlap,
  },
  {
    name: 'repeats the request after a connection reset without a check of record and clock',
    rules: { resend: 'nothing' },
    in: { ...SLEEPING, ...TWO_FAULTS },
    breaks: PROMISES.follows,
  },
  {
    name: 'repeats the request after a connection reset with a check of the record but not of the clock',
    rules: { resend: 'record' },
    in: DOZING,
    breaks: PROMISES.overlap,
  },
  {
    name: 'runs on a network that delivers a request after its connection was reset',
    rules: { reset: 'may leave it under way' },
    in: {},
    breaks: PROMISES.overlap,
  },
  {
    name: 'marks a connection as failed without the lease',
    rules: { mark: 'unconditionally' },
    in: SLEEPING,
    breaks: PROMISES.marked,
  },
  {
    name: 'marks a connection as failed right after a takeover',
    rules: { refusedAfterTakeover: 'dead' },
    in: SLEEPING,
    breaks: PROMISES.marked,
  },
  {
    name: 'recognises a repeated callback by the last writer of a token pair',
    rules: { connect: 'not written by me' },
    in: CONSENT,
    breaks: PROMISES.older,
  },
  {
    name: 'stores the token pair of a callback only on the generation that it read',
    rules: { connect: 'generation' },
    in: CONSENT,
    breaks: PROMISES.lost,
  },
  {
    name: 'stores the token pair of a callback without a condition',
    rules: { connect: 'unconditionally' },
    in: CONSENT,
    breaks: PROMISES.twice,
  },
  {
    name: 'lets a callback that began before a disconnect restore tokens',
    rules: { connect: 'not written by me' },
    in: { ...CONSENT, ...DISCONNECT },
    breaks: PROMISES.erased,
  },
  {
    name: 'repeats a disconnect on a later connection',
    rules: { erase: 'unconditionally' },
    in: { ...CONSENT, ...DISCONNECT },
    breaks: PROMISES.undone,
  },
  {
    name: 'keeps the hash of the refresh token at a disconnect',
    rules: { erases: 'tokens' },
    in: DISCONNECT,
    breaks: PROMISES.erased,
  },
]
