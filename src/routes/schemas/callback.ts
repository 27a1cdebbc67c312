import * as v from 'valibot'
import { companyKey, companyName, epochSecondsOrNull, realmIdOrNull, usesSandboxCredentials } from './common.ts'

/** Response body of `GET /oauth/callback`: the "Stored output" of the API reference, without the tokens. */
export const CALLBACK = v.object({
  company_key: companyKey,
  company_name: companyName,
  realm_id: realmIdOrNull,
  access_token_expires_at: epochSecondsOrNull('Unix timestamp for access-token expiry.'),
  refresh_token_expires_at: epochSecondsOrNull('Unix timestamp for refresh-token expiry.'),
  uses_sandbox_credentials: usesSandboxCredentials,
  connected: v.pipe(v.literal(true), v.description('The tokens were stored.')),
  realm_in_use: v.pipe(v.boolean(), v.description('Whether the company is also connected under another key.')),
})

export type CallbackBody = v.InferOutput<typeof CALLBACK>
