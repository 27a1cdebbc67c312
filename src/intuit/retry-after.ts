/** A wrong date or a careless number must not stop refreshes for longer. Seconds. */
const MAX_RETRY_AFTER = 3600

/** A day's name begins all three forms of an HTTP-date (RFC 9110 section 5.6.7); `Date.parse` would take much more. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)([a-z]*day)?,? /

/** `now` in milliseconds. */
function secondsUntil(httpDate: string, now: number): number | undefined {
  if (!HTTP_DATE.test(httpDate)) return undefined
  // The asctime form names no zone and means UTC.
  const at = Date.parse(httpDate.endsWith('GMT') ? httpDate : `${httpDate} GMT`)
  return Number.isNaN(at) ? undefined : Math.ceil((at - now) / 1000)
}

/**
 * `Retry-After` in seconds (RFC 9110 section 10.2.3), as a number or a date, from 0 to an hour. `undefined` where it is
 * absent or says nothing that can be used. `now` in milliseconds.
 */
export function retryAfterSeconds(headers: Headers, now: number): number | undefined {
  const value = headers.get('Retry-After')?.trim() ?? ''
  const seconds = /^\d+$/.test(value) ? Number(value) : secondsUntil(value, now)
  return seconds === undefined ? undefined : Math.min(Math.max(0, seconds), MAX_RETRY_AFTER)
}
