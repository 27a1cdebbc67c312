/** A refresh token: ten times the number of its consent, plus its place in the chain of rotations. 0 means none. */
export type Token = number
export const NO_TOKEN: Token = 0
export const toConsent = (token: Token) => Math.floor(token / 10)

/** The numbers of the writers. Holders have the numbers from 0. */
export const CALLBACK = 8
export const DISCONNECT = 9
export const NOBODY = 7

export interface Pair {
  refresh: Token
  /** The number of the grant. A higher one is newer. */
  access: number
  used: Token
  usedGeneration: number
  /** The value of `written_by`. */
  writer: number
}

export const isRotated = (pair: Pair) => pair.refresh !== pair.used

export interface StoredRecord {
  refresh: Token
  /** Stands for the SHA-256 of that token. */
  hash: Token
  access: number
  generation: number
  writtenBy: number
  /** The writer of the last connect or disconnect. A refresh does not change it. */
  consentBy: number
  lease: 'free' | 'live' | 'lapsed'
  /** Also the holder that released a lease as lapsed. */
  leaseOwner: number
  failure: 'none' | 'unsettled' | 'dead'
}

export type Phase =
  | 'idle'
  | 'claim'
  | 'ask'
  | 'check'
  | 'sent'
  /** Its caller has a response, and Intuit has not responded yet. */
  | 'listening'
  /** Its connection to Intuit was reset. */
  | 'look again'
  | 'send again'
  | 'store'
  | 'park'
  | 'retry'
  | 'recover'
  | 'refused'
  | 'ask again'
  | 'mark'
  | 'unavailable'
  | 'give back'
  | 'done'
  | 'crashed'

export interface Holder {
  at: Phase
  /** The generation that it read before it acquired the lease. */
  seen: number
  used: Token
  usedGeneration: number
  isTakeover: boolean
  /** Whether it read the rescue store after it acquired the lease. */
  asked: boolean
  /** Whether the record was `unsettled` when it acquired the lease. */
  wasUnsettled: boolean
  /** Whether its lease has lapsed by its clock. */
  lapsed: boolean
  resent: boolean
  parked: 'no' | 'yes' | 'failed'
  pair: Pair | undefined
}

/** A use of a refresh token, from the request until its response arrived or can no longer arrive. */
export interface TokenUse {
  by: number
  token: Token
  usedGeneration: number
  verdict: 'none' | 'granted' | 'refused'
  pair: Pair | undefined
  awaited: boolean
}

/** A message to the table or to the rescue store. */
export type Message =
  /** `over`: the holder whose lapsed lease it takes over. */
  | { kind: 'claim'; by: number; over: number }
  | { kind: 'release'; by: number; to: 'free' | 'lapsed' }
  | { kind: 'store' | 'recover'; by: number; pair: Pair; to: 'free' | 'lapsed' }
  | { kind: 'park'; by: number; pair: Pair }
  | { kind: 'connect'; by: number; pair: Pair; consentBy: number }
  | { kind: 'mark'; by: number; used: Token; failure: StoredRecord['failure']; to: 'free' | 'lapsed' }
  | { kind: 'erase'; by: number; consentBy: number }

/** A writer that changes the consent: it reads, then writes. */
export interface Other {
  at: 'idle' | 'write' | 'revoke' | 'done'
  consentBy: number
  token: Token
  pair: Pair | undefined
}

export interface Chain {
  current: Token
  alive: boolean
  /** A token pair of the chain was lost in a way that no protocol can prevent. */
  excused: boolean
}

export interface State {
  record: StoredRecord
  /** The chains at Intuit, by consent, each with its valid token. */
  chains: Chain[]
  grants: number
  parked: Pair[]
  holders: Holder[]
  tokenUses: TokenUse[]
  /** Messages whose sender no longer waits. They arrive late or never. */
  late: Message[]
  callback: Other
  disconnect: Other
  faults: number
  crashes: number
  /** The stored grants, one bit each. */
  stored: number
  /** Whether a holder, or one of its messages, outlived its lease after the last check. */
  outlived: boolean
  /** Consents up to this one were disconnected. */
  erased: number
  broken: string | undefined
}

export const IDLE: Holder = {
  at: 'idle',
  seen: 0,
  used: NO_TOKEN,
  usedGeneration: 0,
  isTakeover: false,
  asked: false,
  wasUnsettled: false,
  lapsed: false,
  resent: false,
  parked: 'no',
  pair: undefined,
}

const HOLDERS = 'ABCDEFG'
export const toName = (by: number) =>
  by === CALLBACK ? 'the callback' : by === DISCONNECT ? 'the disconnect' : (HOLDERS[by] ?? `holder ${by}`)

export const findChain = (state: State, token: Token) => state.chains[toConsent(token) - 1]

export const excuse = (state: State, token: Token): State => ({
  ...state,
  chains: state.chains.map((chain, index) => (index === toConsent(token) - 1 ? { ...chain, excused: true } : chain)),
})

export const withHolder = (state: State, by: number, change: Partial<Holder>): State => ({
  ...state,
  holders: state.holders.map((holder, index) => (index === by ? { ...holder, ...change } : holder)),
})

/** Ends a holder and clears what it knew. */
export const finished = (state: State, by: number): State => withHolder(state, by, { ...IDLE, at: 'done' })

export const isUnderWay = ({ at }: Holder) => at !== 'idle' && at !== 'done' && at !== 'crashed'
