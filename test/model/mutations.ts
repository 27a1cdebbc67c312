import { PROMISES } from './promises.ts'
import { PROTOCOL, type Rules, type World } from './rules.ts'

/** Two holders, one death, one fault, in a world where a superseded token kills. */
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

/** Each way to get the protocol wrong, the least world that shows it, and the promise that it breaks. */
export const MUTATIONS: Mutation[] = [
  { name: 'claims over a live lease', rules: { claim: 'always' }, in: {}, breaks: PROMISES.overlap },
  {
    name: 'uses the token that it read before it acquired the lease',
    rules: { usedRecord: 'what was read before it' },
    in: {},
    breaks: PROMISES.follows,
  },
  {
    name: 'forgets, when a claim is repeated, that the first one took a lapsed lease over',
    rules: { repeatedClaim: 'forgets the lapse' },
    in: TWO_FAULTS,
    breaks: PROMISES.follows,
  },
  {
    name: 'takes a lapsed lease over without asking the rescue store',
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
    name: 'forgets the lapse when it gives a lease back that it took over',
    rules: { releaseLease: 'free' },
    in: { holders: 3, crashes: 1, faults: 2 },
    breaks: PROMISES.follows,
  },
  {
    name: 'forgets the lapse when Intuit is unavailable or says no',
    rules: { failure: 'free' },
    in: { ...SLEEPING, holders: 3, crashes: 0 },
    breaks: PROMISES.marked,
  },
  {
    name: 'forgets the lapse when its minute of invalid_grant begins',
    rules: { failure: 'free after invalid_grant' },
    in: { ...SLEEPING, holders: 3, crashes: 0 },
    breaks: PROMISES.follows,
  },
  {
    name: 'forgets the lapse when it stored a pair with the same refresh token',
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
    name: 'stores a rotated pair only while the lease is its own',
    rules: { store: 'hash and lease' },
    in: SLEEPING,
    breaks: PROMISES.lost,
  },
  { name: 'stores without condition', rules: { store: 'nothing' }, in: {}, breaks: PROMISES.twice },
  {
    name: 'lets a sleeper store a pair with the same refresh token, and so free another holder’s lease',
    rules: { unrotated: 'generation' },
    in: THREE_SLEEPING,
    breaks: PROMISES.marked,
  },
  {
    name: 'lets a pair with the same refresh token in by its lease alone, which a late claim may bring back',
    rules: { unrotated: 'lease' },
    in: TWO_FAULTS,
    breaks: PROMISES.older,
  },
  {
    name: 'compares the expiries of pairs with the same refresh token, by clocks that differ',
    rules: { unrotated: 'expiry' },
    in: {},
    breaks: PROMISES.older,
  },
  {
    name: 'parks pairs with the same refresh token, in the place of the one that rotated',
    rules: { park: 'all pairs' },
    in: TWO_FAULTS,
    breaks: PROMISES.lost,
  },
  { name: 'parks nothing', rules: { park: 'none' }, in: {}, breaks: PROMISES.lost },
  { name: 'has room for one parked pair', rules: { parked: 'the last one' }, in: TWO_FAULTS, breaks: PROMISES.lost },
  {
    name: 'stores a parked pair without condition',
    rules: { recover: 'unconditionally' },
    in: SLEEPING,
    breaks: PROMISES.twice,
  },
  {
    name: 'frees the lease while a request that timed out may be under way',
    rules: { unanswered: 'lease freed' },
    in: {},
    breaks: PROMISES.overlap,
  },
  {
    name: 'gives a request up that timed out',
    rules: { unanswered: 'given up' },
    in: { crashes: 0 },
    breaks: PROMISES.lost,
  },
  { name: 'asks again after a timeout', rules: { unanswered: 'sent again' }, in: {}, breaks: PROMISES.overlap },
  {
    name: 'sends again after a reset without a look at record or clock',
    rules: { resend: 'nothing' },
    in: { ...SLEEPING, ...TWO_FAULTS },
    breaks: PROMISES.follows,
  },
  {
    name: 'sends again after a reset without a look at the clock, as it may have slept since it looked at the record',
    rules: { resend: 'record' },
    in: DOZING,
    breaks: PROMISES.overlap,
  },
  {
    name: 'meets a network that goes on with a request after its connection was reset',
    rules: { reset: 'may leave it under way' },
    in: {},
    breaks: PROMISES.overlap,
  },
  {
    name: 'marks a connection dead as a loser',
    rules: { mark: 'unconditionally' },
    in: SLEEPING,
    breaks: PROMISES.marked,
  },
  {
    name: 'marks a connection dead at once after a takeover',
    rules: { refusedAfterTakeover: 'dead' },
    in: SLEEPING,
    breaks: PROMISES.marked,
  },
  {
    name: 'tells a repeated callback by the last writer of a pair',
    rules: { connect: 'not written by me' },
    in: CONSENT,
    breaks: PROMISES.older,
  },
  {
    name: 'stores a callback’s pair only on the generation that it read',
    rules: { connect: 'generation' },
    in: CONSENT,
    breaks: PROMISES.lost,
  },
  {
    name: 'stores a callback’s pair without condition',
    rules: { connect: 'unconditionally' },
    in: CONSENT,
    breaks: PROMISES.twice,
  },
  {
    name: 'lets a callback that began before a disconnect bring tokens back',
    rules: { connect: 'not written by me' },
    in: { ...CONSENT, ...DISCONNECT },
    breaks: PROMISES.erased,
  },
  {
    name: 'repeats a disconnect on a connection that was made since',
    rules: { erase: 'unconditionally' },
    in: { ...CONSENT, ...DISCONNECT },
    breaks: PROMISES.undone,
  },
  {
    name: 'leaves the hash at a disconnect',
    rules: { erases: 'tokens' },
    in: DISCONNECT,
    breaks: PROMISES.erased,
  },
]
