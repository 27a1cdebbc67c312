import * as v from 'valibot'
import { STATUSES } from '../../broker/connection-status.ts'
import { companyKey, companyName, environment, epochSeconds, epochSecondsOrNull } from './common.ts'

function daysLeft(description: string) {
  return v.pipe(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0))), v.description(description))
}

const attempts = v.pipe(v.number(), v.integer(), v.minValue(1), v.description('How many in a row.'))
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
    'What the stored tokens are worth. `connected`: nothing to do. `expiring`: the refresh token expires within 30 days. ' +
      '`failing`: the last refresh failed; it is tried again. `reconnect_required`: only a new consent helps, as Intuit ' +
      'refused the refresh token, it has expired, or none is stored beside an access token; `connected` may be true, as the ' +
      'refused tokens are still stored. `unfinished`: not connected yet; a start link was opened, or a refresh token is ' +
      'stored that was never refreshed. `disconnected`: no tokens are stored any more. Never `connected`, `expiring` where ' +
      '`connected` is false.',
  ),
)

export const generation = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.description('Grows by one with every stored token pair.'),
)

export const hardExpiresAt = epochSecondsOrNull('The end of the five years that no refresh extends.')

/** Why there is no newer token, as a caller of the token routes is answered. */
export const ERROR = v.object({
  code: failureCode,
  at: epochSeconds('When the last attempt failed.'),
  intuit_tid: v.pipe(v.nullable(v.string()), v.description('Intuit’s id of the failed call.')),
})

export type ErrorBody = v.InferOutput<typeof ERROR>

const REFRESH = v.union([
  v.object({ at: epochSeconds('When.'), outcome: v.literal('refreshed'), rotated: v.boolean() }),
  v.object({ at: epochSeconds('The last time.'), outcome: failureCode, attempts }),
])

export type RefreshBody = v.InferOutput<typeof REFRESH>

/** The answer of `GET /api/connections/{company_key}/status`. What is not known, or does not apply, is `null`. */
export const CONNECTION_STATUS = v.object({
  company_key: companyKey,
  company_name: companyName,
  environment,
  connected: v.pipe(v.boolean(), v.description('Whether access and refresh tokens are currently stored.')),
  status,
  generation,
  realm_proven_at: epochSecondsOrNull(
    'When an ID token of Intuit named this company; null if only the browser named it.',
  ),
  last_refresh_at: epochSecondsOrNull('Most recent refresh timestamp.'),
  refresh_token_expires_at: epochSecondsOrNull('When the refresh token expires after inactivity.'),
  refresh_token_days_left: daysLeft('Whole days until then.'),
  refresh_token_hard_expires_at: hardExpiresAt,
  refresh_token_hard_days_left: daysLeft('Whole days until then.'),
  last_error: v.nullable(v.object({ ...ERROR.entries, since: epochSeconds('Since when.'), attempts })),
  next_attempt_at: epochSecondsOrNull('Before this time nobody asks Intuit again, unless forced.'),
  disconnection: v.pipe(
    v.nullable(
      v.object({
        at: epochSeconds('When the tokens were erased.'),
        revocation: v.pipe(
          v.picklist(['confirmed', 'unconfirmed', 'pending']),
          v.description(
            'Whether Intuit confirmed. `pending`: not yet; `DELETE` asks again. `unconfirmed`: Intuit refused to revoke the token.',
          ),
        ),
        intuit_tid: v.pipe(v.nullable(v.string()), v.description('Intuit’s id of the revocation.')),
      }),
    ),
    v.description('The last disconnect; null where there was none since the last consent.'),
  ),
  refreshes: v.pipe(v.array(REFRESH), v.description('The last ones, the latest first.')),
  reconnect_url: v.pipe(
    v.nullable(v.string()),
    v.description('Where a person connects again; null where that takes a signed link.'),
  ),
})

export type ConnectionStatusBody = v.InferOutput<typeof CONNECTION_STATUS>
