import * as v from 'valibot'
import { isLoopback } from '../lib/loopback.ts'

/*
 * The formats of single variables. `findTextFault` has already rejected surrounding white space, control characters and
 * non-ASCII characters. valibot's own messages quote the value, which may be a secret. So every check has a message of its
 * own.
 */

/** Any text. */
export const TEXT = v.string('must be text')

/** A credential, a key or a URL: visible ASCII without spaces. */
export const VISIBLE = v.pipe(TEXT, v.regex(/^[\x21-\x7E]+$/, 'must be visible ASCII characters without spaces'))

/** `true` or `false`, as text. */
export const TRUE_OR_FALSE = v.picklist(['true', 'false'], 'must be true or false')

function digits(fallback: number, maxDigits: number, unit: string) {
  return v.pipe(
    v.optional(TEXT, String(fallback)),
    v.regex(new RegExp(`^\\d{1,${maxDigits}}$`), `must be a whole number${unit && ` of ${unit}`}`),
    v.transform(Number),
  )
}

/** A duration in whole seconds, from 0 to `max`. */
export function seconds(fallback: number, max: number) {
  return v.pipe(digits(fallback, 9, 'seconds'), v.maxValue(max, `must be at most ${max} seconds`))
}

/** A duration in whole milliseconds, from 1 to 999,999. */
export function milliseconds(fallback: number) {
  return v.pipe(digits(fallback, 6, 'milliseconds'), v.minValue(1, 'must be at least 1 millisecond'))
}

/** A whole number from `min` to `max`, at most six digits. */
export function wholeNumber(fallback: number, min: number, max: number) {
  return v.pipe(
    digits(fallback, 6, ''),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
  )
}

function parseUrl(given: string) {
  const url = URL.canParse(given) ? new URL(given) : undefined
  // `hash` and `search` are empty for a trailing `#` or `?`, so the text is checked.
  return url && !url.username && !url.password && !given.includes('#') ? url : undefined
}

function isEndpoint(given: string) {
  const url = parseUrl(given)
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
}

/**
 * An endpoint that receives codes, tokens, secrets, alerts or browsers: https, or http on loopback (RFC 6749 section
 * 3).
 */
export const ENDPOINT = v.pipe(
  VISIBLE,
  v.check(isEndpoint, 'must be an https URL (http only for loopback) without user and fragment'),
)

/** Whether a text is an http or https URL without user, query and fragment. */
export function isHttpOrigin(given: string) {
  const url = parseUrl(given)
  return url !== undefined && /^https?:$/.test(url.protocol) && !given.includes('?')
}

/** A DynamoDB endpoint. http is for a local one: without encryption keys, tokens would travel in plain text. */
export const HTTP_ORIGIN = v.pipe(
  VISIBLE,
  v.check(isHttpOrigin, 'must be an http or https URL without user, query and fragment'),
)
