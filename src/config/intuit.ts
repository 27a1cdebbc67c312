import * as v from 'valibot'
import { ENDPOINT, VISIBLE } from './formats.ts'
import { KEY_LIST } from './key-list.ts'

/** Where codes and refresh tokens are spent. */
export const EXCHANGE = v.pipe(
  v.object({
    INTUIT_TOKEN_ENDPOINT: v.optional(ENDPOINT, 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer'),
    // Asked for before a code or a token is spent: what comes back for it has to be sealed.
    TOKEN_ENCRYPTION_KEYS: v.optional(KEY_LIST),
  }),
  v.transform((env) => ({ tokenEndpoint: env.INTUIT_TOKEN_ENDPOINT })),
)

/** Where tokens are revoked. */
export const REVOCATION = v.pipe(
  v.object({
    INTUIT_REVOCATION_ENDPOINT: v.optional(ENDPOINT, 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke'),
  }),
  v.transform((env) => ({ revocationEndpoint: env.INTUIT_REVOCATION_ENDPOINT })),
)

/** The app's key pair for companies that are in use. */
export const PRODUCTION = v.pipe(
  v.object({ QUICKBOOKS_CLIENT_ID: VISIBLE, QUICKBOOKS_CLIENT_SECRET: VISIBLE }),
  v.transform((env) => ({ clientId: env.QUICKBOOKS_CLIENT_ID, clientSecret: env.QUICKBOOKS_CLIENT_SECRET })),
)

/** The app's key pair for Intuit's sandbox. */
export const SANDBOX = v.pipe(
  v.object({ QUICKBOOKS_SANDBOX_CLIENT_ID: VISIBLE, QUICKBOOKS_SANDBOX_CLIENT_SECRET: VISIBLE }),
  v.transform((env) => ({
    clientId: env.QUICKBOOKS_SANDBOX_CLIENT_ID,
    clientSecret: env.QUICKBOOKS_SANDBOX_CLIENT_SECRET,
  })),
)
