import * as v from 'valibot'
import {
  companyKey,
  companyName,
  epochSeconds,
  epochSecondsOrNull,
  realmIdOrNull,
  usesSandboxCredentials,
} from './common.ts'

/**
 * Response body of `GET /api/token/{company_key}` and `POST /api/token/{company_key}/refresh`. Values that are missing
 * from a record written by hand are `null`.
 */
export const TOKEN = v.object({
  company_key: companyKey,
  company_name: companyName,
  realm_id: realmIdOrNull,
  access_token: v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(16_384),
    v.description('Current valid QuickBooks access token.'),
  ),
  access_token_expires_at: epochSeconds('Unix timestamp for access-token expiry.'),
  refresh_token_expires_at: epochSecondsOrNull('Unix timestamp for refresh-token expiry.'),
  updated_at: epochSecondsOrNull('Unix timestamp for last record update.'),
  last_refresh_at: epochSecondsOrNull('Unix timestamp for the most recent token refresh operation.'),
  uses_sandbox_credentials: usesSandboxCredentials,
})

export type TokenBody = v.InferOutput<typeof TOKEN>
