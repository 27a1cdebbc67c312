import * as v from 'valibot'
import { companyKey, companyName, environment, epochSecondsOrNull, realmIdOrNull } from './common.ts'

/** The answer of `GET /api/connections/{company_key}`. What is not known, or not yet, is `null`. */
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

/** The answer of `GET /api/connections` where no listing is configured: the API reference's, to the letter. */
export const LISTING_PLACEHOLDER = v.object({
  message: v.literal(
    'Connection listing is not implemented without a DynamoDB scan path. Use /api/connections/{company_key} for known companies.',
  ),
  path: v.literal('/api/connections'),
})

export type ListingPlaceholderBody = v.InferOutput<typeof LISTING_PLACEHOLDER>

/** The answer of `DELETE /api/connections/{company_key}`. */
export const DISCONNECTED = v.object({
  company_key: companyKey,
  disconnected: v.pipe(v.literal(true), v.description('No tokens are stored any more.')),
  revoked: v.pipe(v.boolean(), v.description('Whether Intuit has confirmed.')),
  revocation: v.pipe(
    v.picklist(['confirmed', 'unconfirmed', 'pending', 'none']),
    v.description(
      '`pending`: retried in the background. `unconfirmed`: Intuit did not confirm. `none`: there was nothing to revoke.',
    ),
  ),
  intuit_tid: v.pipe(v.nullable(v.string()), v.description('Intuit’s id of the revocation.')),
})

export type DisconnectedBody = v.InferOutput<typeof DISCONNECTED>

/** The answer of `POST /api/connections/{company_key}/start-links`. */
export const START_LINK = v.object({
  url: v.pipe(v.string(), v.description('To be sent to whoever connects the company.')),
  expires_at: epochSecondsOrNull('When the link expires; null where it never does, as links are not signed.'),
})

export type StartLinkBody = v.InferOutput<typeof START_LINK>
