import * as v from 'valibot'
import { endpoint, visible } from './formats.ts'
import { keyList } from './key-list.ts'

/** Where codes and refresh tokens are spent. */
export function exchange() {
  return v.pipe(
    v.object({
      INTUIT_TOKEN_ENDPOINT: v.optional(endpoint(), 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer'),
      // Asked for before a code or a token is spent: what comes back for it has to be sealed.
      TOKEN_ENCRYPTION_KEYS: v.optional(keyList()),
    }),
    v.transform((env) => ({ tokenEndpoint: env.INTUIT_TOKEN_ENDPOINT })),
  )
}

/** Where tokens are revoked. */
export function revocation() {
  return v.pipe(
    v.object({
      INTUIT_REVOCATION_ENDPOINT: v.optional(endpoint(), 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke'),
    }),
    v.transform((env) => ({ revocationEndpoint: env.INTUIT_REVOCATION_ENDPOINT })),
  )
}

/** The app's key pair for companies that are in use. */
export function production() {
  return v.pipe(
    v.object({ QUICKBOOKS_CLIENT_ID: visible(), QUICKBOOKS_CLIENT_SECRET: visible() }),
    v.transform((env) => ({ clientId: env.QUICKBOOKS_CLIENT_ID, clientSecret: env.QUICKBOOKS_CLIENT_SECRET })),
  )
}

/** The app's key pair for Intuit's sandbox. */
export function sandbox() {
  return v.pipe(
    v.object({ QUICKBOOKS_SANDBOX_CLIENT_ID: visible(), QUICKBOOKS_SANDBOX_CLIENT_SECRET: visible() }),
    v.transform((env) => ({
      clientId: env.QUICKBOOKS_SANDBOX_CLIENT_ID,
      clientSecret: env.QUICKBOOKS_SANDBOX_CLIENT_SECRET,
    })),
  )
}
