import type { Environment } from './companies.ts'
import type { Knobs } from './knobs.ts'
import type { State } from './state.ts'

/** An app that is registered with the stand-in. */
export interface IntuitApp {
  environment: Environment
  clientId: string
  clientSecret: string
  redirectUris: string[]
}

/** The state and settings that issue codes and tokens. */
export interface Issuer {
  state: State
  /** The stand-in's own clock, in epoch seconds. */
  now(): number
  knobs(): Knobs
  /** Returns an unguessable text of `length` characters. */
  createToken(prefix: string, length: number): string
  /** Ids of the grants whose refresh has no response yet. */
  inFlight: Set<string>
}

/** The tokens of a successful token request. Lifetimes are in seconds. */
export interface IssuedTokens {
  grantId: string
  realmId: string
  /** Whether the refresh token is new. */
  rotated: boolean
  accessToken: string
  accessSeconds: number
  refreshToken: string
  refreshSeconds: number
  hardSeconds: number
  /** Set if the consent asked for `openid`. */
  openIdNonce?: string | undefined
}
