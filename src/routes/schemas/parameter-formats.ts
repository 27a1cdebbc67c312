/** The forms of the parameters that the routes take, for the routes and for the API document. */

/** Seconds that a caller may ask a token to live at least. */
export const MAX_MIN_TTL_SECONDS = 1800
/** RFC 6749 appendix A.11: visible ASCII. Intuit's codes have at most 512 characters. */
export const CODE = /^[\x20-\x7E]{1,512}$/
export const REALM_ID = /^[1-9]\d{0,18}$/
export const ERROR = /^[\x20-\x7E]{1,100}$/
