import * as v from 'valibot'
import { ENDPOINT, VISIBLE } from './formats.ts'
import { KEY_LIST } from './key-list.ts'

/** The token endpoint, which exchanges codes and refresh tokens. */
export const EXCHANGE = v.pipe(
  v.object({
    INTUIT_TOKEN_ENDPOINT: v.optional(ENDPOINT, 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer'),
    // Not in the settings, but validated with them: the tokens in the response must be encrypted.
    TOKEN_ENCRYPTION_KEYS: v.optional(KEY_LIST),
  }),
  v.transform((env) => ({ tokenEndpoint: env.INTUIT_TOKEN_ENDPOINT })),
)

/** The revocation endpoint. */
export const REVOCATION = v.pipe(
  v.object({
    INTUIT_REVOCATION_ENDPOINT: v.optional(ENDPOINT, 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke'),
  }),
  v.transform((env) => ({ revocationEndpoint: env.INTUIT_REVOCATION_ENDPOINT })),
)

/** The app's production client credentials. */
export const PRODUCTION = v.pipe(
  v.object({ QUICKBOOKS_CLIENT_ID: VISIBLE, QUICKBOOKS_CLIENT_SECRET: VISIBLE }),
  v.transform((env) => ({ clientId: env.QUICKBOOKS_CLIENT_ID, clientSecret: env.QUICKBOOKS_CLIENT_SECRET })),
)

/** The app's sandbox client credentials. */
export const SANDBOX = v.pipe(
  v.object({ QUICKBOOKS_SANDBOX_CLIENT_ID: VISIBLE, QUICKBOOKS_SANDBOX_CLIENT_SECRET: VISIBLE }),
  v.transform((env) => ({
    clientId: env.QUICKBOOKS_SANDBOX_CLIENT_ID,
    clientSecret: env.QUICKBOOKS_SANDBOX_CLIENT_SECRET,
  })),
)
