/** Limits how long a wrong `Retry-After` can stop refreshes. Seconds. */
const MAX_RETRY_AFTER = 3600

/**
 * All three formats of an HTTP-date start with the name of a day (RFC 9110 section 5.6.7). `Date.parse` accepts much
 * more.
 */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)([a-z]*day)?,? /

/** The seconds until an HTTP-date. `now` in ms. */
function parseHttpDate(httpDate: string, now: number): number | undefined {
  if (!HTTP_DATE.test(httpDate)) return undefined
  // The asctime format has no time zone and means UTC.
  const at = Date.parse(httpDate.endsWith('GMT') ? httpDate : `${httpDate} GMT`)
  return Number.isNaN(at) ? undefined : Math.ceil((at - now) / 1000)
}

/**
 * Parses `Retry-After` (RFC 9110 section 10.2.3), a number or a date. Returns seconds, from 0 to an hour. `undefined`: the
 * header is absent or malformed. `now` in ms.
 */
export function parseRetryAfter(headers: Headers, now: number): number | undefined {
  const value = headers.get('Retry-After')?.trim() ?? ''
  const seconds = /^\d+$/.test(value) ? Number(value) : parseHttpDate(value, now)
  return seconds === undefined ? undefined : Math.min(Math.max(0, seconds), MAX_RETRY_AFTER)
}
