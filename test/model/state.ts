/** A refresh token: ten times the number of its consent, plus its place in the chain of rotations. 0: none. */
export type Token = number
export const NO_TOKEN: Token = 0
export const toConsent = (token: Token) => Math.floor(token / 10)

/** Everyone who writes has a number; the holders count from 0. */
export const CALLBACK = 8
export const DISCONNECT = 9
export const NOBODY = 7

export interface Pair {
  refresh: Token
  /** The order in which Intuit granted: a higher one is newer. */
  access: number
  used: Token
  usedGeneration: number
  /** Becomes `written_by`. */
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
  /** Who last connected or disconnected: no refresh changes it. */
  consentBy: number
  lease: 'free' | 'live' | 'lapsed'
  /** Also who gave a lease back as lapsed. */
  leaseOwner: number
  failure: 'none' | 'unsettled' | 'dead'
}

export type Phase =
  | 'idle'
  | 'claim'
  | 'ask'
  | 'check'
  | 'sent'
  /** Its caller was answered; Intuit was not heard of yet. */
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
  /** The generation that it read before its claim. */
  seen: number
  used: Token
  usedGeneration: number
  isTakeover: boolean
  /** Whether it asked the rescue store after its claim. */
  asked: boolean
  /** Whether the record said `unsettled` when it claimed. */
  wasUnsettled: boolean
  /** Whether its lease lapsed under it, which its clock tells. */
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
  /** `over`: whose lapsed lease it takes over; by its own time, which a late claim carries along, no other has lapsed. */
  | { kind: 'claim'; by: number; over: number }
  | { kind: 'release'; by: number; to: 'free' | 'lapsed' }
  | { kind: 'store' | 'recover'; by: number; pair: Pair; to: 'free' | 'lapsed' }
  | { kind: 'park'; by: number; pair: Pair }
  | { kind: 'connect'; by: number; pair: Pair; consentBy: number }
  | { kind: 'mark'; by: number; used: Token; failure: StoredRecord['failure']; to: 'free' | 'lapsed' }
  | { kind: 'erase'; by: number; consentBy: number }

/** Somebody who changes the consent: reads first, writes then. */
export interface Other {
  at: 'idle' | 'write' | 'revoke' | 'done'
  consentBy: number
  token: Token
  pair: Pair | undefined
}

export interface Chain {
  current: Token
  alive: boolean
  /** A pair of it was lost in a way that no protocol helps against. */
  excused: boolean
}

export interface State {
  record: StoredRecord
  /** Intuit's side, by consent: the one token of each chain that lives. */
  chains: Chain[]
  grants: number
  parked: Pair[]
  holders: Holder[]
  tokenUses: TokenUse[]
  /** Messages whose sender hears no answer any more: they arrive late or never. */
  late: Message[]
  callback: Other
  disconnect: Other
  faults: number
  crashes: number
  /** Which grants have been stored, one bit each. */
  stored: number
  /** A holder, or a message of one, outlived its lease after the last look at it. */
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

/** Nothing that a holder knew matters once it is done. */
export const finished = (state: State, by: number): State => withHolder(state, by, { ...IDLE, at: 'done' })

export const isUnderWay = ({ at }: Holder) => at !== 'idle' && at !== 'done' && at !== 'crashed'
