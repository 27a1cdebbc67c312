/** Errors of RFC 6749 sections 4.1.2.1 and 5.2 that Intuit answers, and who can do something about them. */

/** Who settles an error on the redirect: the owner said no; the operator corrects the set-up; Intuit recovers by itself. */
export type AuthorizationErrorCause = 'owner' | 'setup' | 'intuit'

export function authorizationErrorCause(error: string): AuthorizationErrorCause {
  if (error === 'access_denied') return 'owner'
  return error === 'server_error' || error === 'temporarily_unavailable' ? 'intuit' : 'setup'
}

/** Shown for an error code of another form: it may be anything, even a sentence or a token. */
const UNNAMED = 'unrecognized_error'

/** The code of an error as it may be shown and logged. Registered codes are lower-case words; tokens have digits. */
export function errorName(error: string): string {
  return /^[a-z_]{1,64}$/.test(error) ? error : UNNAMED
}
