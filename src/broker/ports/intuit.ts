import type { Environment } from '../company.ts'
import type { TokenErrorReason, TokenPair } from '../connection.ts'

/** Tokens as Intuit issued them: a refresh may be answered without a refresh token, and the old one stays (RFC 6749 section 6). */
export type IssuedTokens = Omit<TokenPair, 'refreshToken'> & { refreshToken: string | undefined }

export type TokenResponse = {
  ok: true
  pair: IssuedTokens
  /** As Intuit sent it, not yet checked. */
  idToken?: string | undefined
  intuitTid: string | undefined
}

/** Why an ID token is rejected: the name of a claim, or `format` if the text is no ID token. */
export type IdTokenFault = 'format' | 'iss' | 'aud' | 'exp' | 'nonce' | 'realmid'

/** The company and the person of an ID token. `realmId` is `undefined` if the token names no company. */
export type IdTokenResult =
  | { ok: true; realmId: string | undefined; subject: string }
  | { ok: false; fault: IdTokenFault }

/** What ties a code to the authorization request that it was issued for. `undefined`: not in use. */
export interface RequestBinding {
  /** The `nonce` of the ID token (OpenID Connect Core 1.0 section 3.1.2.1). */
  idTokenNonce: string | undefined
  /** RFC 7636 section 4.1. */
  codeVerifier: string | undefined
}

export type TokenError = {
  ok: false
  reason: TokenErrorReason
  /** Intuit's own error code (RFC 6749 section 5.2), where its answer had one. */
  intuitError: string | undefined
  intuitTid: string | undefined
  /** Intuit's `Retry-After`, bounded. */
  retryAfterSeconds: number | undefined
}

/** `refused`: Intuit does not revoke it, or has before. `unavailable`: it may be asked again. */
export interface RevocationResult {
  outcome: 'revoked' | 'refused' | 'unavailable'
  intuitTid: string | undefined
}

export type TokenResult = TokenResponse | TokenError

/** Of a code: an answer without a refresh token is no success, as there is no old one to keep. */
export type ExchangeError = Omit<TokenError, 'reason'> & { reason: TokenErrorReason | 'no_refresh_token' }

/** The result of a code. `idToken` is `undefined` if Intuit sent none. */
export type ExchangeAnswer =
  | (Omit<TokenResponse, 'pair' | 'idToken'> & { pair: TokenPair; idToken: IdTokenResult | undefined })
  | ExchangeError

/** What came of one use of a code or a refresh token. */
export interface Used<Answer = TokenResult> {
  /** What is known when the caller has to be answered. */
  answer: Answer
  /**
   * Set where Intuit did not answer in time and the request may still be under way: what Intuit says later, or
   * `undefined` where nothing comes. It never rejects. Hold it by `waitUntil`.
   */
  late: Promise<Answer | undefined> | undefined
}

/** Says whether a refresh token may be used. A Worker may have slept since it last looked. */
export interface UseGuard {
  /** By the clock. Asked right before each request that carries the token; nothing is awaited in between. */
  mayUse(): boolean
  /** By the record. Asked before a second request, and `mayUse` after it. It never rejects. */
  isStillHeld(): Promise<boolean>
}

/** What the broker needs of Intuit's authorization server. Throws only `configuration_error`. */
export interface AuthorizationServer {
  /** Tells credentials that failed from others, without showing either; salted by the company key. */
  clientDigest(environment: Environment, companyKey: string): Promise<string>
  /** Creates what the configuration asks for. Store it before the person is redirected. */
  createBinding(): RequestBinding
  authorizationUrl(environment: Environment, state: string, binding: RequestBinding): Promise<string>
  exchange(environment: Environment, code: string, binding: RequestBinding): Promise<Used<ExchangeAnswer>>
  refresh(environment: Environment, refreshToken: string, guard: UseGuard): Promise<Used>
  /** By a refresh or an access token; it ends the whole grant. */
  revoke(environment: Environment, token: string): Promise<RevocationResult>
}
