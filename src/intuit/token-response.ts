import * as v from 'valibot'
import type { EpochSeconds, TokenErrorReason } from '../broker/connection.ts'
import { errorName } from '../broker/consent/intuit-errors.ts'
import type { TokenResult } from '../broker/ports/intuit.ts'

/** What Intuit grants where its answer does not say: a lost number must not lose the pair. */
const USUAL_ACCESS_SECONDS = 3600
const USUAL_REFRESH_SECONDS = 8_726_400
/** Longer lifetimes are mistakes, such as milliseconds. Intuit grants an hour, 101 days, and five years in all. */
const MAX_ACCESS_SECONDS = 86_400
const MAX_REFRESH_SECONDS = 6 * 366 * 86_400
/** Far beyond what Intuit documents (4096 and 512), and two of them fit into an answer and a record. */
const MAX_TOKEN_LENGTH = 16_384

/** A whole number of seconds, as a number or its digits: Intuit has been seen to send numbers as strings. */
function lifetime(maxSeconds: number, fallback: number) {
  const digits = v.pipe(v.string(), v.regex(/^\d{1,12}$/), v.transform(Number))
  const seconds = v.pipe(v.union([v.number(), digits]), v.integer(), v.minValue(0), v.maxValue(maxSeconds))
  return v.fallback(seconds, fallback)
}

const TOKEN = v.pipe(v.string(), v.maxLength(MAX_TOKEN_LENGTH), v.regex(/^[\x21-\x7E]+$/))

/** `null` and an empty string mean the same as an absent member. */
const OPTIONAL_TOKEN = v.optional(
  v.union([
    v.pipe(
      v.union([v.null(), v.literal('')]),
      v.transform(() => undefined),
    ),
    TOKEN,
  ]),
)

/**
 * RFC 6749 section 5.1 with Intuit's additions, read for what cannot be done without: an answer to a rotating refresh
 * may be odd in every other field and still hold the only valid refresh token.
 */
const TOKEN_RESPONSE = v.object({
  access_token: TOKEN,
  refresh_token: OPTIONAL_TOKEN,
  expires_in: lifetime(MAX_ACCESS_SECONDS, USUAL_ACCESS_SECONDS),
  x_refresh_token_expires_in: lifetime(MAX_REFRESH_SECONDS, USUAL_REFRESH_SECONDS),
  x_refresh_token_hard_expires_in: lifetime(MAX_REFRESH_SECONDS, 0),
})
const TOKEN_ERROR = v.object({ error: v.pipe(v.string(), v.nonEmpty()) })

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Only an error in RFC 6749's form says something about us or our token (section 5.2: status 400, or 401 for
 * `invalid_client`). All else comes from a gateway or from an Intuit in trouble, and is transient.
 */
function classify(status: number, error: string | undefined): TokenErrorReason {
  if (error === 'invalid_client' && (status === 400 || status === 401)) return 'invalid_client'
  if (error === undefined || status !== 400) return 'unavailable'
  return error === 'invalid_grant' ? 'invalid_grant' : 'request_rejected'
}

function errorOf(body: unknown): string | undefined {
  const parsed = v.safeParse(TOKEN_ERROR, body)
  return parsed.success ? parsed.output.error : undefined
}

/** One answer of the token endpoint, as HTTP has it. */
export interface HttpAnswer {
  status: number
  /** `undefined` where the body was too long to be read. */
  text: string | undefined
  intuitTid: string | undefined
  retryAfterSeconds: number | undefined
}

/** Intuit's answer in the broker's terms. */
export function parseTokenResult(
  { status, text, intuitTid, retryAfterSeconds }: HttpAnswer,
  now: EpochSeconds,
): TokenResult {
  const body = text === undefined ? undefined : parsedJson(text)
  const granted = status === 200 ? v.safeParse(TOKEN_RESPONSE, body) : undefined
  if (!granted?.success) {
    const error = errorOf(body)
    const intuitError = error === undefined ? undefined : errorName(error)
    return { ok: false, reason: classify(status, error), intuitError, intuitTid, retryAfterSeconds }
  }
  const { output } = granted
  const hardSeconds = output.x_refresh_token_hard_expires_in
  return {
    ok: true,
    intuitTid,
    pair: {
      accessToken: output.access_token,
      accessTokenExpiresAt: now + output.expires_in,
      refreshToken: output.refresh_token,
      refreshTokenExpiresAt: now + output.x_refresh_token_expires_in,
      refreshTokenHardExpiresAt: hardSeconds > 0 ? now + hardSeconds : undefined,
    },
  }
}
