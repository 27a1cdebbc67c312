import * as v from 'valibot'
import { MAX_NAME_LENGTH } from '../../broker/company.ts'
import { STATUSES } from '../../broker/connection-status.ts'
import { DEFAULT_LIMIT, ENVIRONMENTS, MAX_LIMIT } from '../fleet.ts'
import { EXPIRES_AT, KID, MAC } from '../start-link.ts'
import { companyKey } from './common.ts'
import { CODE, ERROR, MAX_MIN_TTL_SECONDS, REALM_ID } from './parameter-formats.ts'

/*
 * The parameters as the API document tells them, by the very expressions and limits that the routes parse with.
 */

export const COMPANY_KEY = companyKey

export const COMPANY_NAME = v.pipe(
  v.string(),
  v.maxLength(MAX_NAME_LENGTH),
  v.description('Human-readable company name saved with the connection record. No control characters.'),
)

export const LINK_EXPIRES_AT = v.pipe(
  v.string(),
  v.regex(EXPIRES_AT),
  v.description('When the signed link expires, epoch seconds.'),
)

export const LINK_KEY_ID = v.pipe(v.string(), v.regex(KID), v.description('Which key signed the link.'))

export const LINK_SIGNATURE = v.pipe(v.string(), v.regex(MAC), v.description('HMAC-SHA256 of the link, base64url.'))

export const AUTHORIZATION_CODE = v.pipe(
  v.string(),
  v.regex(CODE),
  v.description('OAuth authorization code returned by Intuit.'),
)

export const STATE = v.pipe(v.string(), v.description('OAuth state value previously created by the service.'))

export const REALM = v.pipe(
  v.string(),
  v.regex(REALM_ID),
  v.description('QuickBooks company identifier returned by Intuit.'),
)

export const OAUTH_ERROR = v.pipe(
  v.string(),
  v.regex(ERROR),
  v.description('Why Intuit refused, such as `access_denied`; it comes instead of `code`.'),
)

export const MIN_TTL = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(MAX_MIN_TTL_SECONDS),
  v.description(
    'Seconds that the token has to live at least; a token refreshed within the last minute satisfies it always.',
  ),
)

export const IF_MATCH = v.pipe(
  v.string(),
  v.description('The `ETag` of the token that failed: refreshes only if that is still the current one.'),
)

export const NO_CACHE = v.pipe(
  v.string(),
  v.description('`no-cache`: answer from DynamoDB, not from the memory of a server.'),
)

export const LIMIT = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(MAX_LIMIT),
  v.description(`How many connections at most; ${DEFAULT_LIMIT} unless told.`),
)

export const CURSOR = v.pipe(
  v.string(),
  v.description('The `cursor` of the page before, of the same `status` and `environment`. Opaque.'),
)

export const STATUS = v.pipe(v.picklist(STATUSES), v.description('Only connections that stand so.'))

export const ENVIRONMENT = v.pipe(v.picklist(ENVIRONMENTS), v.description('Only connections of this environment.'))
