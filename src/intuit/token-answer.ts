import * as v from 'valibot'
import type { EpochSeconds, Refusal } from '../broker/connection.ts'
import type { IntuitAnswer } from '../broker/ports.ts'

/** What Intuit grants where its answer does not say: a lost number must not lose the pair. */
const USUAL_ACCESS_SECONDS = 3600
const USUAL_REFRESH_SECONDS = 8_726_400

function isLength(value: unknown) {
  return typeof value === 'number' ? value >= 0 : /^\d+$/.test(String(value))
}

/** A length of time in seconds; Intuit has been seen to send numbers as strings. */
function seconds(fallback: number) {
  return v.fallback(v.pipe(v.unknown(), v.check(isLength), v.transform(Number)), fallback)
}

function token(maxLength: number) {
  return v.pipe(v.string(), v.regex(new RegExp(`^[\\x21-\\x7E]{1,${maxLength}}$`)))
}

/**
 * RFC 6749 section 5.1 with Intuit's additions, read for what cannot be done without: an answer to a rotating refresh
 * may be odd in every other field and still hold the only living refresh token.
 */
function grantedSchema() {
  return v.object({
    access_token: token(4096),
    refresh_token: token(512),
    expires_in: seconds(USUAL_ACCESS_SECONDS),
    x_refresh_token_expires_in: seconds(USUAL_REFRESH_SECONDS),
    x_refresh_token_hard_expires_in: v.optional(seconds(0)),
  })
}
function refusedSchema() {
  return v.object({ error: v.string() })
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Only these two say something about us or our token; all else, HTML of a gateway included, is Intuit being unwell. */
function refusalOf(status: number, body: unknown): Refusal {
  const refused = v.safeParse(refusedSchema(), body)
  const error = refused.success ? refused.output.error : undefined
  if (status === 400 && error === 'invalid_grant') return 'invalid_grant'
  if (status === 401 || (status === 400 && error === 'invalid_client')) return 'invalid_client'
  return 'unavailable'
}

/** Intuit's answer in our words. `text` is `undefined` where the body was too long to be read. */
export function readAnswer(
  status: number,
  text: string | undefined,
  intuitTid: string | undefined,
  now: EpochSeconds,
): IntuitAnswer {
  const body = text === undefined ? undefined : parsedJson(text)
  const granted = status === 200 ? v.safeParse(grantedSchema(), body) : undefined
  if (!granted?.success) return { ok: false, refusal: refusalOf(status, body), intuitTid }
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
      refreshTokenHardExpiresAt: hardSeconds ? now + hardSeconds : undefined,
    },
  }
}
