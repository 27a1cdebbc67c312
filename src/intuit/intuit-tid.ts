/** Such as `1-628f0be4-0b7a7b1e5c0e3f1d2a6c9e84`. */
const INTUIT_TID = /^[\w.:-]{1,100}$/

/**
 * Intuit's id of a request, for its support. `undefined` if it is absent, or too long or too odd for a log and a
 * record.
 */
export function readIntuitTid(headers: Headers): string | undefined {
  const tid = headers.get('intuit_tid')?.trim()
  return tid !== undefined && INTUIT_TID.test(tid) ? tid : undefined
}
