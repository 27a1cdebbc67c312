import type { World } from './rules.ts'
import { IDLE, NO_TOKEN, NOBODY, type Other, type State, type Token } from './state.ts'

const OTHER: Other = { at: 'idle', consentBy: 0, token: NO_TOKEN, pair: undefined }
const FIRST: Token = 10

/** A connected company with a token that needs a refresh, and callers that are about to read it. */
export const initialState = ({ holders, faults, crashes, consent, disconnect }: World): State => ({
  record: {
    refresh: FIRST,
    hash: FIRST,
    access: 0,
    generation: 1,
    writtenBy: NOBODY,
    consentBy: NOBODY,
    lease: 'free',
    leaseOwner: NOBODY,
    failure: 'none',
  },
  chains: [{ current: FIRST, alive: true, excused: false }],
  grants: 0,
  parked: [],
  holders: Array.from({ length: holders }, () => IDLE),
  tokenUses: [],
  late: [],
  callback: consent ? OTHER : { ...OTHER, at: 'done' },
  disconnect: disconnect ? OTHER : { ...OTHER, at: 'done' },
  faults,
  crashes,
  stored: 1,
  outlived: false,
  erased: 0,
  broken: undefined,
})
