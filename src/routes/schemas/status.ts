import * as v from 'valibot'
import { STATUSES } from '../../broker/connection-status.ts'
import { companyKey, companyName, environment, epochSeconds, epochSecondsOrNull } from './common.ts'

function daysLeft(description: string) {
  return v.pipe(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0))), v.description(description))
}

const attempts = v.pipe(v.number(), v.integer(), v.minValue(1), v.description('Number of consecutive failures.'))
const failureCode = v.picklist([
  'reconnect_required',
  'intuit_rejected_client',
  'token_exchange_failed',
  'intuit_unavailable',
  'refresh_in_progress',
])

export const status = v.pipe(
  v.picklist(STATUSES),
  v.description(
    'The state of the connection. `connected`: nothing to do. `expiring`: the refresh token expires within 30 days. ' +
      '`failing`: the last refresh failed; the service retries. `reconnect_required`: the company needs a new consent, ' +
      'because Intuit refused the refresh token, the refresh token has expired, or an access token is stored without a ' +
      'refresh token; the member `connected` may still be true, because the refused tokens stay stored. `unfinished`: not ' +
      'connected yet; a start link was opened, or the stored refresh token was never used. `disconnected`: the tokens were ' +
      'erased. If the member `connected` is false, the status is neither `connected` nor `expiring`.',
  ),
)

export const generation = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.description('Increases by one with every stored token pair.'),
)

export const hardExpiresAt = epochSecondsOrNull(
  'The end of the five years that a refresh token can last. A refresh does not extend it.',
)

/** The last refresh error. The token routes return the same code. */
export const ERROR = v.object({
  code: failureCode,
  at: epochSeconds('When the last attempt failed.'),
  intuit_tid: v.pipe(v.nullable(v.string()), v.description('The `intuit_tid` of the failed call.')),
})

export type ErrorBody = v.InferOutput<typeof ERROR>

const REFRESH = v.union([
  v.object({ at: epochSeconds('When the refresh succeeded.'), outcome: v.literal('refreshed'), rotated: v.boolean() }),
  v.object({ at: epochSeconds('When the last of these attempts failed.'), outcome: failureCode, attempts }),
])

export type RefreshBody = v.InferOutput<typeof REFRESH>

/** Response body of `GET /api/connections/{company_key}/status`. Values that are unknown or do not apply are `null`. */
export const CONNECTION_STATUS = v.object({
  company_key: companyKey,
  company_name: companyName,
  environment,
  connected: v.pipe(v.boolean(), v.description('Whether access and refresh tokens are currently stored.')),
  status,
  generation,
  realm_proven_at: epochSecondsOrNull(
    'When an ID token from Intuit confirmed the realm ID. Null if the realm ID comes only from the callback URL.',
  ),
  last_refresh_at: epochSecondsOrNull('Most recent refresh timestamp.'),
  refresh_token_expires_at: epochSecondsOrNull('When the refresh token expires after inactivity.'),
  refresh_token_days_left: daysLeft('Whole days until `refresh_token_expires_at`.'),
  refresh_token_hard_expires_at: hardExpiresAt,
  refresh_token_hard_days_left: daysLeft('Whole days until `refresh_token_hard_expires_at`.'),
  last_error: v.nullable(
    v.object({ ...ERROR.entries, since: epochSeconds('When the first of these attempts failed.'), attempts }),
  ),
  next_attempt_at: epochSecondsOrNull(
    'The service does not call Intuit again before this time, except for a forced refresh.',
  ),
  disconnection: v.pipe(
    v.nullable(
      v.object({
        at: epochSeconds('When the tokens were erased.'),
        revocation: v.pipe(
          v.picklist(['confirmed', 'unconfirmed', 'pending']),
          v.description(
            'Whether Intuit confirmed the revocation. `pending`: not yet; another `DELETE` retries. `unconfirmed`: Intuit refused to revoke the token.',
          ),
        ),
        intuit_tid: v.pipe(v.nullable(v.string()), v.description('The `intuit_tid` of the revocation call.')),
      }),
    ),
    v.description('The last disconnect. Null if there was none since the last consent.'),
  ),
  refreshes: v.pipe(v.array(REFRESH), v.description('The last refreshes, newest first.')),
  reconnect_url: v.pipe(
    v.nullable(v.string()),
    v.description('Where a person connects the company again. Null if that requires a signed link.'),
  ),
})

export type ConnectionStatusBody = v.InferOutput<typeof CONNECTION_STATUS>
