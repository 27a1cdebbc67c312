import { type ConsentOutcome, Problem, type ProblemCode } from '../../problem.ts'
import type { Environment } from '../company.ts'
import { intuitRejectedClient } from '../errors.ts'
import type { ExchangeError } from '../ports/intuit.ts'
import { authorizationErrorCause, errorName } from './intuit-errors.ts'

/*
 * The problems of a consent. Each one says only what failed. `toConsentProblem` adds whether the company is connected and
 * where to begin again.
 */

/** The state is unknown, used, expired or bound to another browser. */
export function invalidState(): Problem {
  return new Problem(
    'invalid_state',
    'This link was used, has expired, was altered, or was started in another browser. Begin again at /oauth/start/{company_key}.',
  )
}

/** Why the first visit of a link connected nothing. Shown to a person who opens the link again. */
const REASONS: Partial<Record<ProblemCode, string>> = {
  authorization_denied: 'the request was refused at Intuit',
  connection_not_found: 'the connection was removed in the meantime',
  realm_mismatch: 'the key belongs to another QuickBooks company or environment',
  realm_in_use: 'the QuickBooks company is connected under another key',
  token_exchange_failed: 'Intuit refused to exchange the code',
  intuit_unavailable: 'Intuit did not answer as it should',
  intuit_rejected_client: "Intuit does not accept this deployment's client id and secret",
  storage_unavailable: 'the token store could not be reached',
  configuration_error: 'this deployment is not fully configured',
}

/**
 * The link was used. `outcome` is that of its first visit; the company may have been connected or disconnected since.
 */
export function linkUsed(companyKey: string, outcome: ConsentOutcome): Problem {
  const detail = outcome.connected
    ? `${outcome.companyName} was connected by this link. A link works once, so this visit changed nothing. ` +
      `To connect the company again, begin at /oauth/start/${companyKey}.`
    : `This link was used, and nothing was connected by it: ${REASONS[outcome.code] ?? 'something went wrong here'} (${outcome.code}).`
  return new Problem('invalid_state', detail, { earlierOutcome: outcome })
}

/** The link was used by a visit that has not recorded its outcome. */
export function linkUnfinished(isUnderWay: boolean): Problem {
  return new Problem(
    'invalid_state',
    isUnderWay
      ? 'This link is being used by another visit, which is still under way. Check the connection in a minute before you begin again.'
      : 'This link was used, and its first visit did not finish. Check the connection before you begin again.',
  )
}

/**
 * Intuit redirected back with an `error` (RFC 6749 section 4.1.2.1): the person declined, or Intuit reports a fault.
 */
export function authorizationDenied(error: string): Problem {
  const intuitError = errorName(error)
  const details = {
    owner: 'The request was denied at Intuit.',
    setup:
      `Intuit refused the request with ${intuitError}. The person did not decline it. ` +
      "The operator has to correct the scopes, the redirect URI or the app's settings at Intuit.",
    intuit: `Intuit could not handle the request and answered ${intuitError}. The person did not decline it. Wait a few minutes.`,
  }
  return new Problem('authorization_denied', details[authorizationErrorCause(error)], { intuitError })
}

/** The record was deleted or disconnected while the consent was under way. */
export function connectionRemoved(): Problem {
  return new Problem('connection_not_found', 'The connection was removed in the meantime.')
}

/** The key is connected to another company. */
export function realmMismatch(companyKey: string): Problem {
  return new Problem(
    'realm_mismatch',
    `The key ${companyKey} belongs to another QuickBooks company than the one that was chosen. Choose that company at Intuit, ` +
      'or connect this one under a key of its own. To change the company of the key on purpose, the operator first ' +
      `disconnects it with DELETE /api/connections/${companyKey}.`,
  )
}

/** The redirect has no `realmId`, and the key is connected to a company. */
export function realmMissing(companyKey: string): Problem {
  return new Problem(
    'realm_mismatch',
    `Intuit did not say which company was chosen, but the key ${companyKey} is connected to one.`,
  )
}

/**
 * A connected record without a realm id, as one written by hand may be. Whoever comes first could give it any company.
 */
export function realmUnknown(companyKey: string): Problem {
  return new Problem(
    'realm_mismatch',
    `The key ${companyKey} is connected, and its record does not say to which QuickBooks company. To connect it, the ` +
      'operator sends a signed start link, adds realm_id to the record, or first disconnects it with ' +
      `DELETE /api/connections/${companyKey}.`,
  )
}

/** Without a realm id, nobody can tell whether another key has the company. */
export function realmUnnamed(): Problem {
  return new Problem(
    'realm_mismatch',
    'Intuit did not say which company was chosen, and this deployment connects each company under one key only.',
  )
}

/** The ID token names another company than the callback URL. Nothing is revoked. */
export function realmNotProven(): Problem {
  return new Problem(
    'realm_mismatch',
    'Intuit names another QuickBooks company than the address of this page does. The address was changed on its way, and ' +
      'nothing was stored.',
  )
}

/** An ID token with a wrong claim. Nothing is revoked. */
export function idTokenRejected(intuitTid: string | undefined): Problem {
  return new Problem(
    'token_exchange_failed',
    "The ID token in Intuit's response does not belong to this consent, and nothing was stored. The operator finds the " +
      'reason in the log.',
    { intuitTid },
  )
}

/** `REALM_PROOF=required`, and no ID token names the company. Nothing is revoked. */
export function proofMissing(intuitTid: string | undefined): Problem {
  return new Problem(
    'token_exchange_failed',
    "No ID token in Intuit's response names the company. This deployment requires one, and nothing was stored.",
    { intuitTid },
  )
}

/** The key is connected in another environment. `stored` is the environment of the connection. */
export function environmentMismatch(companyKey: string, stored: Environment): Problem {
  return new Problem(
    'realm_mismatch',
    `The key ${companyKey} is connected with ${stored} credentials. To change that, the operator first disconnects it with ` +
      `DELETE /api/connections/${companyKey}. Or connect this company under a key of its own.`,
  )
}

/** Another key has the company. The detail does not name that key, because it may belong to another customer. */
export function realmInUse(): Problem {
  return new Problem(
    'realm_in_use',
    'This QuickBooks company is connected under another key, and one key alone may have it. ' +
      'The operator finds that key in the log.',
  )
}

/** Intuit did not issue tokens for the code. */
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
      // The access token is not revoked: a revocation would end the app's permission for the company everywhere.
      return new Problem(
        'token_exchange_failed',
        'Intuit answered without a refresh token, so nothing was stored.',
        facts,
      )
  }
}

/** Thrown before the code is exchanged: there is not enough time left to store the token pair. */
export function tooSlow(): Problem {
  return new Problem('storage_unavailable', 'The token store answers too slowly. Nothing was connected.', {
    retryAfterSeconds: 5,
  })
}

/** Intuit issued the token pair, and it is not stored yet. */
export function notStored(): Problem {
  return new Problem(
    'storage_unavailable',
    'Intuit issued the tokens, but they could not be stored yet. The service retries in the background. ' +
      'Check the connection in a minute before you begin again.',
    { retryAfterSeconds: 60 },
  )
}
