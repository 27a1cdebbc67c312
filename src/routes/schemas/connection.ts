import * as v from 'valibot'
import { companyKey, companyName, environment, epochSecondsOrNull, realmIdOrNull } from './common.ts'

/** Response body of `GET /api/connections/{company_key}`. Unknown values are `null`. */
export const CONNECTION = v.object({
  company_key: companyKey,
  company_name: companyName,
  realm_id: realmIdOrNull,
  environment,
  access_token_expires_at: epochSecondsOrNull('Unix expiry timestamp for the access token.'),
  refresh_token_expires_at: epochSecondsOrNull('Unix expiry timestamp for the refresh token.'),
  updated_at: epochSecondsOrNull('Last update timestamp.'),
  created_at: epochSecondsOrNull('Creation timestamp.'),
  last_refresh_at: epochSecondsOrNull('Most recent refresh timestamp.'),
  connected: v.pipe(v.boolean(), v.description('Whether access and refresh tokens are currently stored.')),
})

export type ConnectionBody = v.InferOutput<typeof CONNECTION>

/** Response body of `GET /api/connections` without an index: exactly the placeholder of the API reference. */
export const LISTING_PLACEHOLDER = v.object({
  message: v.literal(
    'Connection listing is not implemented without a DynamoDB scan path. Use /api/connections/{company_key} for known companies.',
  ),
  path: v.literal('/api/connections'),
})

export type ListingPlaceholderBody = v.InferOutput<typeof LISTING_PLACEHOLDER>

/** Response body of `DELETE /api/connections/{company_key}`. */
export const DISCONNECTED = v.object({
  company_key: companyKey,
  disconnected: v.pipe(v.literal(true), v.description('The stored tokens were erased.')),
  revoked: v.pipe(v.boolean(), v.description('Whether Intuit confirmed the revocation.')),
  revocation: v.pipe(
    v.picklist(['confirmed', 'unconfirmed', 'pending', 'none']),
    v.description(
      '`confirmed`: Intuit confirmed it. `pending`: the service retries in the background. `unconfirmed`: Intuit did not confirm it. `none`: there was no token to revoke.',
    ),
  ),
  intuit_tid: v.pipe(v.nullable(v.string()), v.description('The `intuit_tid` of the revocation call.')),
})

export type DisconnectedBody = v.InferOutput<typeof DISCONNECTED>

/** Response body of `POST /api/connections/{company_key}/start-links`. */
export const START_LINK = v.object({
  url: v.pipe(v.string(), v.description('The link to send to the person who connects the company.')),
  expires_at: epochSecondsOrNull('When the link expires. Null if links are not signed: then the link never expires.'),
})

export type StartLinkBody = v.InferOutput<typeof START_LINK>
