import * as v from 'valibot'
import { MAX_NAME_LENGTH } from '../../broker/company.ts'
import { STATUSES } from '../../broker/connection-status.ts'
import { DEFAULT_LIMIT, ENVIRONMENTS, MAX_LIMIT } from '../fleet.ts'
import { EXPIRES_AT, KID, MAC } from '../start-link.ts'
import { companyKey } from './common.ts'
import { CODE, ERROR, MAX_MIN_TTL_SECONDS, REALM_ID } from './parameter-formats.ts'

/*
 * Parameter schemas for the API document. They use the same patterns and limits as the routes.
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
  v.description('When the signed link expires, in epoch seconds.'),
)

export const LINK_KEY_ID = v.pipe(v.string(), v.regex(KID), v.description('The id of the key that signed the link.'))

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
  v.description('Intuit’s error code, such as `access_denied`. Sent instead of `code`.'),
)

export const MIN_TTL = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(MAX_MIN_TTL_SECONDS),
  v.description(
    'Minimum remaining lifetime of the token in seconds. A token that was refreshed within the last minute always satisfies it.',
  ),
)

export const IF_MATCH = v.pipe(
  v.string(),
  v.description(
    'The `ETag` of the token that failed. The service refreshes only if that token is still the current one.',
  ),
)

export const NO_CACHE = v.pipe(v.string(), v.description('`no-cache`: read the token from DynamoDB, not from a cache.'))

export const LIMIT = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(MAX_LIMIT),
  v.description(`Maximum number of connections on the page. Default: ${DEFAULT_LIMIT}.`),
)

export const CURSOR = v.pipe(
  v.string(),
  v.description('The opaque `cursor` of the previous page. Use the same `status` and `environment` as for that page.'),
)

export const STATUS = v.pipe(v.picklist(STATUSES), v.description('Only connections with this status.'))

export const ENVIRONMENT = v.pipe(v.picklist(ENVIRONMENTS), v.description('Only connections in this environment.'))
