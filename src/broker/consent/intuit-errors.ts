/*
 * Error codes that Intuit returns: on the redirect (RFC 6749 section 4.1.2.1) and from the token endpoint (section 5.2).
 */

/**
 * Who can resolve an error on the redirect. `owner`: the person declined. `setup`: the operator corrects the
 * configuration. `intuit`: the failure is transient.
 */
export type AuthorizationErrorCause = 'owner' | 'setup' | 'intuit'

/** Classifies an error code of the redirect. */
export function authorizationErrorCause(error: string): AuthorizationErrorCause {
  if (error === 'access_denied') return 'owner'
  return error === 'server_error' || error === 'temporarily_unavailable' ? 'intuit' : 'setup'
}

/** Replaces an error code in an unexpected format. Its text can be anything, even a token. */
const UNRECOGNIZED = 'unrecognized_error'

/**
 * The error code in a form that is safe to show and to log. Registered codes are lower-case words; tokens have digits.
 */
export function errorName(error: string): string {
  return /^[a-z_]{1,64}$/.test(error) ? error : UNRECOGNIZED
}
