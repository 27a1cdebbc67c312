/** Parameter formats, shared by the routes and the API document. */

/** Upper limit of `min_ttl`, in seconds. */
export const MAX_MIN_TTL_SECONDS = 1800
/** RFC 6749 appendix A.11: visible ASCII. Intuit's codes have at most 512 characters. */
export const CODE = /^[\x20-\x7E]{1,512}$/
/** Intuit's realm IDs are positive decimal numbers without leading zeros. */
export const REALM_ID = /^[1-9]\d{0,18}$/
/** RFC 6749 appendix A.7: the error codes that Intuit returns are visible ASCII. */
export const ERROR = /^[\x20-\x7E]{1,100}$/
