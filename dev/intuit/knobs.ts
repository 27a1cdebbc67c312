import * as v from 'valibot'

const seconds = v.pipe(v.number(), v.integer(), v.minValue(0))

/** What is wrong with an ID token. `missing`: there is none, although the consent asked for `openid`. */
const ID_TOKEN_FLAWS = v.picklist([
  'none',
  'missing',
  'wrong_issuer',
  'wrong_audience',
  'expired',
  'wrong_nonce',
  'foreign_realm',
  'no_realm',
  'malformed',
])
export type IdTokenFlaw = v.InferOutput<typeof ID_TOKEN_FLAWS>

/** Settings of the stand-in: behaviour that Intuit's documentation leaves open, and values that tests change. */
export const KNOBS = v.object({
  /** The lifetime of a code. */
  codeLivesSeconds: seconds,
  /** Whether the second use of a code ends the grant of the first. */
  replayKills: v.boolean(),
  accessTokenLivesSeconds: seconds,
  /** The age at which a refresh replaces the refresh token. 0 replaces it at every refresh. */
  rotateAfterSeconds: seconds,
  /** The lifetime of a refresh token, from when it was issued. */
  refreshTokenLivesSeconds: seconds,
  /** The lifetime of a connection, regardless of refreshes: five years. */
  hardLivesSeconds: seconds,
  /** How long a superseded refresh token is still accepted. */
  supersededLivesSeconds: seconds,
  /** Strict mode: using a superseded refresh token ends the connection. */
  reuseKills: v.boolean(),
  /** What happens to a second refresh while the first is in flight. */
  concurrentRefresh: v.picklist(['refuse', 'allow', 'kill']),
  refreshKillsAccessToken: v.boolean(),
  /** Whether a second consent for the same app and company ends the first grant. */
  consentKillsFormer: v.boolean(),
  numbersAsStrings: v.boolean(),
  /** What is wrong with the ID token of a consent that asked for `openid`. */
  idToken: ID_TOKEN_FLAWS,
  /** The error of every authorization response (RFC 6749 section 4.1.2.1). Empty: none. */
  authorizationError: v.string(),
  /** Which of Intuit's error descriptions an `invalid_grant` has. */
  invalidGrantDescription: v.picklist(['none', 'current', 'old']),
  /** The time between the decision on a token request and its response, in ms. */
  tokenDelayMs: seconds,
  accessTokenLength: v.pipe(v.number(), v.integer(), v.minValue(32), v.maxValue(20_000)),
  refreshTokenLength: v.pipe(v.number(), v.integer(), v.minValue(40), v.maxValue(20_000)),
})

export type Knobs = v.InferOutput<typeof KNOBS>

export const DEFAULT_KNOBS: Knobs = {
  codeLivesSeconds: 600,
  replayKills: true,
  accessTokenLivesSeconds: 3600,
  rotateAfterSeconds: 86_400,
  refreshTokenLivesSeconds: 8_726_400,
  hardLivesSeconds: 156_032_154,
  supersededLivesSeconds: 0,
  reuseKills: false,
  concurrentRefresh: 'refuse',
  refreshKillsAccessToken: false,
  consentKillsFormer: false,
  numbersAsStrings: false,
  idToken: 'none',
  authorizationError: '',
  invalidGrantDescription: 'current',
  tokenDelayMs: 0,
  accessTokenLength: 1100,
  refreshTokenLength: 41,
}
