import * as v from 'valibot'
import { companyKey, companyName, environment, epochSecondsOrNull, realmIdOrNull } from './fields.ts'

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
