import * as v from 'valibot'
import { ENDPOINT, seconds, TEXT, TRUE_OR_FALSE } from './formats.ts'

/** Narrower than RFC 6749 section 3.3: no scope of Intuit's has a comma, plus or percent sign, which stand for a blank that was meant. */
const SCOPES = /^[\w.:/-]+( [\w.:/-]+)*$/

/** How a person is sent to Intuit, and comes back. */
export const AUTHORIZATION = v.pipe(
  v.object({
    QUICKBOOKS_REDIRECT_URI: ENDPOINT,
    QUICKBOOKS_SCOPES: v.pipe(
      v.optional(TEXT, 'com.intuit.quickbooks.accounting'),
      v.regex(SCOPES, 'must be scopes separated by one space, without commas, plus signs or %20'),
    ),
    INTUIT_AUTHORIZATION_ENDPOINT: v.optional(ENDPOINT, 'https://appcenter.intuit.com/connect/oauth2'),
    OAUTH_STATE_TTL_SECONDS: v.pipe(seconds(600, 86_400), v.minValue(1, 'must be at least 1 second')),
  }),
  v.transform((env) => ({
    redirectUri: env.QUICKBOOKS_REDIRECT_URI,
    scope: env.QUICKBOOKS_SCOPES,
    authorizationEndpoint: env.INTUIT_AUTHORIZATION_ENDPOINT,
    stateTtlSeconds: env.OAUTH_STATE_TTL_SECONDS,
  })),
)

/** Where a person's browser goes on to after success. */
export const PAGES = v.pipe(
  v.object({ SUCCESS_REDIRECT_URL: v.optional(ENDPOINT) }),
  v.transform((env) => ({ successRedirectUrl: env.SUCCESS_REDIRECT_URL })),
)

/** Whether a company may be connected under two keys. */
export const REALMS = v.pipe(
  v.object({ ONE_KEY_PER_REALM: v.optional(TRUE_OR_FALSE, 'false') }),
  v.transform((env) => ({ oneKeyPerRealm: env.ONE_KEY_PER_REALM === 'true' })),
)
