import * as v from 'valibot'

const seconds = v.pipe(v.number(), v.integer(), v.minValue(0))

/** What Intuit's documents leave open or contradict, and what tests want to see change. */
export const KNOBS = v.object({
  /** How long a code can be redeemed. */
  codeLivesSeconds: seconds,
  /** Whether a second redemption of a code kills the refresh token of the first. */
  replayKills: v.boolean(),
  accessTokenLivesSeconds: seconds,
  /** The age at which a refresh token's value is replaced by a new one; 0 replaces it at every refresh. */
  rotateAfterSeconds: seconds,
  /** How long a refresh token lives unused, counted from its value's birth. */
  refreshTokenLivesSeconds: seconds,
  /** How long a connection lives whatever it does: five years. */
  hardLivesSeconds: seconds,
  /** How long a superseded value is still accepted. */
  supersededLivesSeconds: seconds,
  /** Strict mode: a superseded value presented again kills the connection. */
  reuseKills: v.boolean(),
  /** What a second refresh gets while the first is being answered. */
  concurrentRefresh: v.picklist(['refuse', 'allow', 'kill']),
  refreshKillsAccessToken: v.boolean(),
  /** Whether a second consent for the same app and company kills the first refresh token. */
  consentKillsFormer: v.boolean(),
  numbersAsStrings: v.boolean(),
  /** The error that the browser brings back whatever the person decides (RFC 6749 section 4.1.2.1); none where empty. */
  authorizationError: v.string(),
  /** Which of Intuit's bodies an `invalid_grant` has. */
  invalidGrantDescription: v.picklist(['none', 'current', 'old']),
  /** The time between the judgement of a token request and its answer, in ms. */
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
  authorizationError: '',
  invalidGrantDescription: 'current',
  tokenDelayMs: 0,
  accessTokenLength: 1100,
  refreshTokenLength: 41,
}
