import * as v from 'valibot'
import { ENDPOINT, seconds, TEXT, TRUE_OR_FALSE } from './formats.ts'

/**
 * Stricter than RFC 6749 section 3.3. No scope of Intuit has a comma, a plus or a percent sign: each is a mistyped
 * space.
 */
const SCOPES = /^[\w.:/-]+( [\w.:/-]+)*$/

const SCOPES_VARIABLE = v.pipe(
  v.optional(TEXT, 'com.intuit.quickbooks.accounting'),
  v.regex(SCOPES, 'must be scopes separated by one space, without commas, plus signs or %20'),
)

/** Whether the token response has an ID token (OpenID Connect Core 1.0 section 3.1.2.1). */
function hasOpenId(scopes: string) {
  return scopes.split(' ').includes('openid')
}

/** The authorization request: endpoint, redirect URI, scope, and lifetime of the OAuth state in seconds. */
export const AUTHORIZATION = v.pipe(
  v.object({
    QUICKBOOKS_REDIRECT_URI: ENDPOINT,
    QUICKBOOKS_SCOPES: SCOPES_VARIABLE,
    OAUTH_PKCE: v.optional(TRUE_OR_FALSE, 'false'),
    INTUIT_AUTHORIZATION_ENDPOINT: v.optional(ENDPOINT, 'https://appcenter.intuit.com/connect/oauth2'),
    OAUTH_STATE_TTL_SECONDS: v.pipe(seconds(600, 86_400), v.minValue(1, 'must be at least 1 second')),
  }),
  v.transform((env) => ({
    redirectUri: env.QUICKBOOKS_REDIRECT_URI,
    scope: env.QUICKBOOKS_SCOPES,
    asksForIdToken: hasOpenId(env.QUICKBOOKS_SCOPES),
    usesPkce: env.OAUTH_PKCE === 'true',
    authorizationEndpoint: env.INTUIT_AUTHORIZATION_ENDPOINT,
    stateTtlSeconds: env.OAUTH_STATE_TTL_SECONDS,
  })),
)

/** What an ID token of Intuit must say, and whether a consent needs one that names the company. */
export const COMPANY_PROOF = v.pipe(
  v.object({
    INTUIT_ISSUER: v.optional(ENDPOINT, 'https://oauth.platform.intuit.com/op/v1'),
    REALM_PROOF: v.optional(
      v.picklist(['when_present', 'required'], 'must be when_present or required'),
      'when_present',
    ),
    QUICKBOOKS_SCOPES: SCOPES_VARIABLE,
  }),
  v.forward(
    v.check(
      ({ REALM_PROOF, QUICKBOOKS_SCOPES }) => REALM_PROOF !== 'required' || hasOpenId(QUICKBOOKS_SCOPES),
      'can be required only if QUICKBOOKS_SCOPES has openid',
    ),
    ['REALM_PROOF'],
  ),
  v.transform((env) => ({ issuer: env.INTUIT_ISSUER, isRequired: env.REALM_PROOF === 'required' })),
)

/** Where the browser is redirected after a successful consent. `undefined`: to the success page of this service. */
export const PAGES = v.pipe(
  v.object({ SUCCESS_REDIRECT_URL: v.optional(ENDPOINT) }),
  v.transform((env) => ({ successRedirectUrl: env.SUCCESS_REDIRECT_URL })),
)

/** Whether a QuickBooks company may be connected under one company key only. */
export const REALMS = v.pipe(
  v.object({ ONE_KEY_PER_REALM: v.optional(TRUE_OR_FALSE, 'false') }),
  v.transform((env) => ({ oneKeyPerRealm: env.ONE_KEY_PER_REALM === 'true' })),
)
