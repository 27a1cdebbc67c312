import type { Environment } from '../company.ts'
import type { TokenErrorReason, TokenPair } from '../connection.ts'

/**
 * Tokens as Intuit issued them. A refresh may return no refresh token: then the old one stays valid (RFC 6749 section
 * 6).
 */
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
  /** Intuit's own error code (RFC 6749 section 5.2). `undefined` if its response had none. */
  intuitError: string | undefined
  intuitTid: string | undefined
  /** Intuit's `Retry-After`, bounded. */
  retryAfterSeconds: number | undefined
}

/** `refused`: Intuit does not revoke the token, or has already done so. `unavailable`: transient. */
export interface RevocationResult {
  outcome: 'revoked' | 'refused' | 'unavailable'
  intuitTid: string | undefined
}

export type TokenResult = TokenResponse | TokenError

/** The error of a code. A response without a refresh token is an error, because there is no old one. */
export type ExchangeError = Omit<TokenError, 'reason'> & { reason: TokenErrorReason | 'no_refresh_token' }

/** The result of a code. `idToken` is `undefined` if Intuit sent none. */
export type ExchangeAnswer =
  | (Omit<TokenResponse, 'pair' | 'idToken'> & { pair: TokenPair; idToken: IdTokenResult | undefined })
  | ExchangeError

/** The result of using a code or a refresh token. */
export interface Used<Answer = TokenResult> {
  /** The result when the caller gets its response. */
  answer: Answer
  /**
   * Set if Intuit did not answer in time and the request may still be in flight. Resolves to Intuit's late response, or to
   * `undefined` if there is none. Never rejects. Pass it to `waitUntil`.
   */
  late: Promise<Answer | undefined> | undefined
}

/** Whether a refresh token may be used. The Worker may have been frozen since the last check. */
export interface UseGuard {
  /** Checks the clock. Call it right before each request with the token, and await nothing in between. */
  mayUse(): boolean
  /** Checks the record. Call it before a second request, and `mayUse` after it. Never rejects. */
  isStillHeld(): Promise<boolean>
}

/** Intuit's authorization server. Throws only `configuration_error`. */
export interface AuthorizationServer {
  /**
   * A digest of the client credentials, salted with the company key. It shows whether two failures had the same
   * credentials.
   */
  clientDigest(environment: Environment, companyKey: string): Promise<string>
  /** Creates what the configuration asks for. Store it before the person is redirected. */
  createBinding(): RequestBinding
  authorizationUrl(environment: Environment, state: string, binding: RequestBinding): Promise<string>
  exchange(environment: Environment, code: string, binding: RequestBinding): Promise<Used<ExchangeAnswer>>
  refresh(environment: Environment, refreshToken: string, guard: UseGuard): Promise<Used>
  /** Revokes the whole grant, by its refresh token or an access token. */
  revoke(environment: Environment, token: string): Promise<RevocationResult>
}
