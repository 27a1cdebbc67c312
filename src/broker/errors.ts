import { Problem } from '../problem.ts'
import type { EpochSeconds, Failure } from './connection.ts'

/* The problems of a connection. Each `detail` says what the reader does next. */

export function connectionNotFound(): Problem {
  return new Problem(
    'connection_not_found',
    'No connection is stored under this key. Connect it at /oauth/start/{company_key}.',
  )
}

export function missingRefreshToken(companyKey: string): Problem {
  return new Problem(
    'missing_refresh_token',
    `No refresh token is stored. Connect the company at /oauth/start/${companyKey}.`,
  )
}

export function refreshInProgress(retryAfterSeconds: number): Problem {
  return new Problem(
    'refresh_in_progress',
    'This token is being refreshed by another request. Try again after the time in Retry-After.',
    {
      retryAfterSeconds,
    },
  )
}

export function generationMismatch(): Problem {
  return new Problem(
    'generation_mismatch',
    'The token was refreshed after the one that If-Match names. Read it again with Cache-Control: no-cache.',
  )
}

/** A token pair of this isolate waits for the table. A new lease would compete with its store. */
export function storeIsBusy(): Problem {
  return new Problem(
    'storage_unavailable',
    'The token store is too slow at the moment. Nothing was lost. Try again in a moment.',
    {
      retryAfterSeconds: 2,
    },
  )
}

export function rescueUnavailable(): Problem {
  return new Problem(
    'storage_unavailable',
    'The rescue store could not be reached. Nothing was lost. Try again in a moment.',
    {
      retryAfterSeconds: 5,
    },
  )
}

interface IntuitFacts {
  intuitTid: string | undefined
  intuitError: string | undefined
}

export function intuitRejectedClient(facts: IntuitFacts): Problem {
  return new Problem(
    'intuit_rejected_client',
    'Intuit does not accept the client id and secret of this deployment. The operator has to correct them.',
    facts,
  )
}

/** The longest `Retry-After`, in seconds. */
const MAX_RETRY_AFTER = 3600

/** The problem of a failed refresh, from just now or from the record. */
export function failedRefresh(companyKey: string, failure: Failure, now: EpochSeconds): Problem {
  const { reason, intuitTid, intuitError } = failure
  const facts = { intuitTid, intuitError }
  const retryAfter = Math.min(Math.max(1, failure.retryAt - now), MAX_RETRY_AFTER)
  switch (reason) {
    case 'invalid_grant':
      return new Problem(
        'reconnect_required',
        `Intuit no longer accepts this connection. Connect the company again at /oauth/start/${companyKey}.`,
        facts,
      )
    case 'invalid_client':
      return intuitRejectedClient(facts)
    case 'request_rejected':
      return new Problem(
        'token_exchange_failed',
        `Intuit refused the refresh: ${intuitError}. The stored tokens are safe. ` +
          "The operator has to correct the app's settings at Intuit, or this deployment's.",
        { ...facts, retryAfterSeconds: retryAfter },
      )
    case 'unavailable':
      return new Problem(
        'intuit_unavailable',
        'Intuit did not respond as expected. The stored tokens are safe. Try again later.',
        { ...facts, retryAfterSeconds: retryAfter },
      )
    case 'unsettled':
      return refreshInProgress(retryAfter)
  }
}
