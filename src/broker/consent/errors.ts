import { type ConsentOutcome, Problem, type ProblemCode } from '../../problem.ts'
import type { Environment } from '../company.ts'
import { intuitRejectedClient } from '../errors.ts'
import type { ExchangeError } from '../ports/intuit.ts'
import { authorizationErrorCause, errorName } from './intuit-errors.ts'

/*
 * The problems of a consent. Each says what failed and no more: `toConsentProblem` adds how the connection stands and
 * where to begin again.
 */

export function invalidState(): Problem {
  return new Problem(
    'invalid_state',
    'This link was used, has expired, was altered, or was begun in another browser. Begin again at /oauth/start/{company_key}.',
  )
}

/** Why the first visit of a link connected nothing, for who opens it again. */
const REASONS: Partial<Record<ProblemCode, string>> = {
  authorization_denied: 'the request was refused at Intuit',
  connection_not_found: 'the connection was removed meanwhile',
  realm_mismatch: 'the key belongs to another QuickBooks company or environment',
  realm_in_use: 'the QuickBooks company is connected under another key',
  token_exchange_failed: 'Intuit refused to exchange the code',
  intuit_unavailable: 'Intuit did not answer as it should',
  intuit_rejected_client: "Intuit does not accept this deployment's client id and secret",
  storage_unavailable: 'the token store could not be reached',
  configuration_error: 'this deployment is not fully configured',
}

/** A link that was used, and what its first visit came to. How the company stands now is another question. */
export function linkUsed(companyKey: string, outcome: ConsentOutcome): Problem {
  const detail = outcome.connected
    ? `${outcome.companyName} was connected by this link. A link works once, so this visit changed nothing. ` +
      `To connect the company again, begin at /oauth/start/${companyKey}.`
    : `This link was used, and nothing was connected by it: ${REASONS[outcome.code] ?? 'something went wrong here'} (${outcome.code}).`
  return new Problem('invalid_state', detail, { earlierOutcome: outcome })
}

/** A link that was used, by a visit that has not told its outcome. */
export function linkUnfinished(isUnderWay: boolean): Problem {
  return new Problem(
    'invalid_state',
    isUnderWay
      ? 'This link is being used by another visit, which is still under way. Look at the connection in a minute, and begin again only if it did not come about.'
      : 'This link was used, and its first visit did not finish. Look at the connection, and begin again if it did not come about.',
  )
}

/** `error` is Intuit's (RFC 6749 section 4.1.2.1): the owner's refusal, or a fault that the reader must tell from it. */
export function authorizationDenied(error: string): Problem {
  const intuitError = errorName(error)
  const details = {
    owner: 'The request was denied at Intuit.',
    setup:
      `Intuit refused the request with ${intuitError}; nobody declined it. ` +
      "The operator has to correct the scopes, the redirect URI or the app's settings at Intuit.",
    intuit: `Intuit could not handle the request now and answered ${intuitError}; nobody declined it. Wait a few minutes.`,
  }
  return new Problem('authorization_denied', details[authorizationErrorCause(error)], { intuitError })
}

export function connectionRemoved(): Problem {
  return new Problem('connection_not_found', 'The connection was removed meanwhile.')
}

export function realmMismatch(companyKey: string): Problem {
  return new Problem(
    'realm_mismatch',
    `The key ${companyKey} belongs to another QuickBooks company than the one that was chosen. Choose that company at Intuit, ` +
      'or connect this one under a key of its own. To change the company of the key on purpose, the operator first ' +
      `disconnects it with DELETE /api/connections/${companyKey}.`,
  )
}

export function realmMissing(companyKey: string): Problem {
  return new Problem(
    'realm_mismatch',
    `Intuit did not say which company was chosen, and the key ${companyKey} belongs to one.`,
  )
}

/** `stored` is the environment of the connection. */
export function environmentMismatch(companyKey: string, stored: Environment): Problem {
  return new Problem(
    'realm_mismatch',
    `The key ${companyKey} is connected with ${stored} credentials. To change that, the operator first disconnects it with ` +
      `DELETE /api/connections/${companyKey}. Or connect this company under a key of its own.`,
  )
}

/** Names no other key: it may be another customer's. */
export function realmInUse(): Problem {
  return new Problem(
    'realm_in_use',
    'This QuickBooks company is connected under another key, and one key alone may have it. ' +
      'The operator finds that key in the log.',
  )
}

export function exchangeFailed({ reason, intuitError, intuitTid, retryAfterSeconds }: ExchangeError): Problem {
  const facts = { intuitTid, intuitError }
  switch (reason) {
    case 'invalid_client':
      return intuitRejectedClient({ intuitTid, intuitError })
    case 'request_rejected':
      return new Problem(
        'token_exchange_failed',
        `Intuit refused to exchange the code: ${intuitError}. The operator has to correct the app's settings at Intuit, ` +
          "or this deployment's.",
        facts,
      )
    case 'unavailable':
      return new Problem('intuit_unavailable', 'Intuit did not answer as it should, so no tokens were stored.', {
        ...facts,
        retryAfterSeconds,
      })
    case 'invalid_grant':
      return new Problem('token_exchange_failed', 'Intuit refused the code.', facts)
    case 'no_refresh_token':
      // Nothing is revoked either: that would end the app's permission for the company everywhere.
      return new Problem(
        'token_exchange_failed',
        'Intuit answered without a refresh token, so nothing was stored.',
        facts,
      )
  }
}

/** Refused before the code is used: what Intuit would answer could not be stored in time. */
export function tooSlow(): Problem {
  return new Problem('storage_unavailable', 'The token store answers too slowly. Nothing was connected.', {
    retryAfterSeconds: 5,
  })
}

export function notStored(): Problem {
  return new Problem(
    'storage_unavailable',
    'Intuit has agreed, but the tokens could not be stored yet. Storing them is tried again in the background: ' +
      'look at the connection in a minute, and begin again only if it did not come about.',
    { retryAfterSeconds: 60 },
  )
}
