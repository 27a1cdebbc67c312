import * as v from 'valibot'

/*
 * The formats of single variables. That a value is text without white space around it, control characters or anything
 * that is not ASCII is checked for all variables before (`textFault`). valibot's own messages quote what they got: ours
 * must not.
 */

export const TEXT = v.string('must be text')

/** A credential, a key or a URL: visible ASCII, without blanks. */
export const VISIBLE = v.pipe(TEXT, v.regex(/^[\x21-\x7E]+$/, 'must be visible ASCII characters without blanks'))

export const TRUE_OR_FALSE = v.picklist(['true', 'false'], 'must be true or false')

function digits(fallback: number, most: number, unit: string) {
  return v.pipe(
    v.optional(TEXT, String(fallback)),
    v.regex(new RegExp(`^\\d{1,${most}}$`), `must be a whole number${unit && ` of ${unit}`}`),
    v.transform(Number),
  )
}

export function seconds(fallback: number, max: number) {
  return v.pipe(digits(fallback, 9, 'seconds'), v.maxValue(max, `must be at most ${max} seconds`))
}

export function milliseconds(fallback: number) {
  return v.pipe(digits(fallback, 6, 'milliseconds'), v.minValue(1, 'must be at least 1 millisecond'))
}

export function wholeNumber(fallback: number, min: number, max: number) {
  return v.pipe(
    digits(fallback, 6, ''),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
  )
}

/** A host of this machine, to which http is no risk. */
export function isLoopback(hostname: string) {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

function parsedUrl(given: string) {
  const url = URL.canParse(given) ? new URL(given) : undefined
  // A `#` or `?` at the end leaves nothing in `hash` and `search`.
  return url && !url.username && !url.password && !given.includes('#') ? url : undefined
}

function isEndpoint(given: string) {
  const url = parsedUrl(given)
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
}

/** Where codes, tokens, secrets or alerts go, or a person: https unless loopback, so that no code, token or secret travels in the clear (RFC 6749 section 3). */
export const ENDPOINT = v.pipe(
  VISIBLE,
  v.check(isEndpoint, 'must be an https URL (http only for loopback) without user and fragment'),
)

export function isHttpOrigin(given: string) {
  const url = parsedUrl(given)
  return url !== undefined && /^https?:$/.test(url.protocol) && !given.includes('?')
}

/** Where DynamoDB answers. http is for one on this machine: tokens that are not encrypted would travel in the clear. */
export const HTTP_ORIGIN = v.pipe(
  VISIBLE,
  v.check(isHttpOrigin, 'must be an http or https URL without user, query and fragment'),
)
