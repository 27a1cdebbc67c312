import * as v from 'valibot'
import { type EpochSeconds, MAX_ACCESS_SECONDS, type TokenErrorReason } from '../broker/connection.ts'
import { errorName } from '../broker/consent/intuit-errors.ts'
import type { TokenResult } from '../broker/ports/intuit.ts'

/** Intuit's usual lifetimes, for a response without valid ones: a malformed number must not lose the token pair. */
const USUAL_ACCESS_SECONDS = 3600
const USUAL_REFRESH_SECONDS = 8_726_400
/** Longer lifetimes are errors, such as milliseconds. Intuit grants 101 days, and five years in total. */
const MAX_REFRESH_SECONDS = 6 * 366 * 86_400
/** Far more than Intuit documents (4096 and 512). Two tokens of this length fit into a response and a record. */
const MAX_TOKEN_LENGTH = 16_384

/** A whole number of seconds, as a number or a string: Intuit has sent both. */
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

/** `null` and an empty string count as absent. What is no text is passed on as a text, and rejected as an ID token. */
const ID_TOKEN = v.pipe(
  v.unknown(),
  v.transform((value) => (value === undefined || value === null || value === '' ? undefined : String(value))),
)

/**
 * RFC 6749 section 5.1 with Intuit's additions. Requires the tokens and tolerates errors in the rest: the response to a
 * rotating refresh may contain the only valid refresh token.
 */
const TOKEN_RESPONSE = v.object({
  access_token: TOKEN,
  refresh_token: OPTIONAL_TOKEN,
  expires_in: lifetime(MAX_ACCESS_SECONDS, USUAL_ACCESS_SECONDS),
  x_refresh_token_expires_in: lifetime(MAX_REFRESH_SECONDS, USUAL_REFRESH_SECONDS),
  x_refresh_token_hard_expires_in: lifetime(MAX_REFRESH_SECONDS, 0),
  id_token: v.optional(ID_TOKEN),
})
const TOKEN_ERROR = v.object({ error: v.pipe(v.string(), v.nonEmpty()) })

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Only an error in the format of RFC 6749 section 5.2 (status 400, or 401 for `invalid_client`) is about the client or the
 * token. Any other response comes from a gateway or from an outage, and is transient.
 */
function classify(status: number, error: string | undefined): TokenErrorReason {
  if (error === 'invalid_client' && (status === 400 || status === 401)) return 'invalid_client'
  if (error === undefined || status !== 400) return 'unavailable'
  return error === 'invalid_grant' ? 'invalid_grant' : 'request_rejected'
}

function parseErrorCode(body: unknown): string | undefined {
  const parsed = v.safeParse(TOKEN_ERROR, body)
  return parsed.success ? parsed.output.error : undefined
}

/** One HTTP response of the token endpoint. */
export interface HttpResponse {
  status: number
  /** `undefined`: the body was too long. */
  text: string | undefined
  intuitTid: string | undefined
  retryAfterSeconds: number | undefined
}

/** Parses a response of the token endpoint. `now`: the lifetimes of the tokens start then. */
export function parseTokenResult(
  { status, text, intuitTid, retryAfterSeconds }: HttpResponse,
  now: EpochSeconds,
): TokenResult {
  const body = text === undefined ? undefined : parseJson(text)
  const response = status === 200 ? v.safeParse(TOKEN_RESPONSE, body) : undefined
  if (!response?.success) {
    const error = parseErrorCode(body)
    const intuitError = error === undefined ? undefined : errorName(error)
    return { ok: false, reason: classify(status, error), intuitError, intuitTid, retryAfterSeconds }
  }
  const { output } = response
  const hardSeconds = output.x_refresh_token_hard_expires_in
  return {
    ok: true,
    intuitTid,
    idToken: output.id_token,
    pair: {
      accessToken: output.access_token,
      accessTokenExpiresAt: now + output.expires_in,
      refreshToken: output.refresh_token,
      refreshTokenExpiresAt: now + output.x_refresh_token_expires_in,
      refreshTokenHardExpiresAt: hardSeconds > 0 ? now + hardSeconds : undefined,
    },
  }
}
