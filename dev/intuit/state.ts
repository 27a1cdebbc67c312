import * as v from 'valibot'

/** The optional parameters of an authorization request. */
const AUTHORIZATION_OPTIONS = {
  /** Set if the scopes include `openid`: the request's `nonce`, or an empty text without one. */
  openIdNonce: v.optional(v.string()),
  /** The `code_challenge` of the method S256 (RFC 7636). */
  codeChallenge: v.optional(v.string()),
}

/** An authorization code. Times are epoch seconds of the stand-in's own clock. */
const CODE = v.object({
  value: v.string(),
  clientId: v.string(),
  redirectUri: v.string(),
  realmId: v.string(),
  expiresAt: v.number(),
  /** The id of the grant that the code was exchanged for. */
  redeemedAs: v.optional(v.string()),
  ...AUTHORIZATION_OPTIONS,
})

/** The result of one consent. Times are epoch seconds of the stand-in's own clock. */
const GRANT = v.object({
  id: v.string(),
  clientId: v.string(),
  realmId: v.string(),
  alive: v.boolean(),
  refreshToken: v.string(),
  refreshTokenBornAt: v.number(),
  hardExpiresAt: v.number(),
  /** Earlier refresh tokens, and when each was replaced. */
  superseded: v.array(v.object({ value: v.string(), at: v.number() })),
  accessTokens: v.array(v.object({ value: v.string(), expiresAt: v.number() })),
})

/** Everything that the stand-in stores, as JSON. */
export const STATE = v.object({ codes: v.array(CODE), grants: v.array(GRANT), clockOffsetSeconds: v.number() })

type Code = v.InferOutput<typeof CODE>
export type AuthorizationOptions = Pick<Code, keyof typeof AUTHORIZATION_OPTIONS>
export type Grant = v.InferOutput<typeof GRANT>
export type State = v.InferOutput<typeof STATE>

/** The state of a new stand-in: no codes, no grants, and the clock of this machine. */
export const createState = (): State => ({ codes: [], grants: [], clockOffsetSeconds: 0 })
