import * as v from 'valibot'

export function required() {
  return v.string()
}
export function optional() {
  return v.optional(v.string())
}

export function trueOrFalse() {
  return v.picklist(['true', 'false'], 'must be true or false')
}

export function seconds(fallback: number, max: number) {
  return v.pipe(
    v.optional(v.string(), String(fallback)),
    v.regex(/^\d{1,9}$/, 'must be a whole number of seconds'),
    v.transform(Number),
    v.maxValue(max, `must be at most ${max} seconds`),
  )
}

export function milliseconds(fallback: number) {
  return v.pipe(
    v.optional(v.string(), String(fallback)),
    v.regex(/^\d{1,6}$/, 'must be a whole number of milliseconds'),
    v.transform(Number),
    v.minValue(1, 'must be at least 1 millisecond'),
  )
}

function isLoopback({ hostname }: URL) {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)
}

function parsedUrl(text: string) {
  return URL.canParse(text) ? new URL(text) : undefined
}

function isEndpoint(text: string) {
  const url = parsedUrl(text)
  if (!url || url.username || url.password || url.hash) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))
}

/** Where codes, tokens, secrets or alerts go, or a person: https unless loopback, so that no code, token or secret travels in the clear (RFC 6749 section 3). */
export function endpoint() {
  return v.pipe(v.string(), v.check(isEndpoint, 'must be an https URL (http only for loopback)'))
}

function isHttpOrigin(text: string) {
  const url = parsedUrl(text)
  return url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash
}

/** Where DynamoDB answers. http is for one on this machine: tokens that are not sealed would travel in the clear. */
export function httpOrigin() {
  return v.pipe(v.string(), v.check(isHttpOrigin, 'must be an http or https URL'))
}
