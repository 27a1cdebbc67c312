import { Problem } from '../problem.ts'
import type { Environment } from './company.ts'
import type { Refused } from './ports.ts'

/** The problems of a consent, each with where its reader begins again. `startUrl` is `undefined` where that takes a signed link. */

function startAgain(companyKey: string) {
  return `Begin again at /oauth/start/${companyKey}.`
}

export function invalidState(): Problem {
  return new Problem(
    'invalid_state',
    'This link was used, has expired, was altered, or was begun in another browser. Begin again at /oauth/start/{company_key}.',
  )
}

/** `error` is Intuit's (RFC 6749 section 4.1.2.1). */
export function authorizationDenied(companyKey: string, error: string, startUrl: string | undefined): Problem {
  const reason = error === 'access_denied' ? 'The request was denied at Intuit.' : 'Intuit refused the request.'
  return new Problem('authorization_denied', `${reason} Nothing was connected. ${startAgain(companyKey)}`, { startUrl })
}

export function connectionRemoved(companyKey: string, startUrl: string | undefined): Problem {
  return new Problem('connection_not_found', `The connection was removed meanwhile. ${startAgain(companyKey)}`, {
    startUrl,
  })
}

export function realmMismatch(companyKey: string): Problem {
  return new Problem(
    'realm_mismatch',
    `The key ${companyKey} is connected to another QuickBooks company. Nothing was changed. ` +
      'Choose that company at Intuit, or connect this one under a key of its own.',
  )
}

export function realmMissing(companyKey: string): Problem {
  return new Problem(
    'realm_mismatch',
    `Intuit did not say which company was chosen, and the key ${companyKey} is connected to one. Nothing was changed. ` +
      startAgain(companyKey),
  )
}

/** `stored` is the environment of the connection. */
export function environmentMismatch(companyKey: string, stored: Environment): Problem {
  return new Problem(
    'realm_mismatch',
    `The key ${companyKey} is connected with ${stored} credentials. Nothing was changed. ` +
      'Disconnect it first, or connect this company under a key of its own.',
  )
}

/** Names no other key: it may be another customer's. */
export function realmInUse(): Problem {
  return new Problem(
    'realm_in_use',
    'This QuickBooks company is connected under another key, and one key alone may have it. Nothing was changed. ' +
      'The operator finds that key in the log.',
  )
}

export function exchangeFailed(
  { refusal, intuitTid }: Refused,
  companyKey: string,
  startUrl: string | undefined,
): Problem {
  switch (refusal) {
    case 'invalid_client':
      return new Problem(
        'intuit_rejected_client',
        "Intuit does not accept this deployment's client id and secret. The operator has to correct them.",
        { intuitTid },
      )
    case 'unavailable':
      return new Problem('intuit_unavailable', `Intuit could not be reached. ${startAgain(companyKey)}`, {
        ...{ intuitTid, startUrl },
      })
    case 'invalid_grant':
      return new Problem('token_exchange_failed', `Intuit refused the code. ${startAgain(companyKey)}`, {
        ...{ intuitTid, startUrl },
      })
  }
}

export function notStored(companyKey: string, startUrl: string | undefined): Problem {
  return new Problem(
    'storage_unavailable',
    `Intuit has agreed, but the tokens could not be stored yet. If the connection does not show in a minute: ${startAgain(companyKey)}`,
    { startUrl, headers: { 'Retry-After': '60' } },
  )
}
