import type { Context, MiddlewareHandler } from 'hono'
import { type ApiClient, canAccess, type Permission } from '../broker/api-client.ts'
import { parseCompanyKey } from '../broker/company.ts'
import { clientSubscriber } from '../http/client-address.ts'
import { hasShortQuery, queryValues, requireShortQuery } from '../http/request.ts'
import { Problem } from '../problem.ts'
import type { RateLimiter } from './rate-limit.ts'

export interface ApiKeyDeps {
  /** Whose key this is. Throws `configuration_error` where no key is configured. */
  identifyClient(apiKey: string | undefined): Promise<{ apiClient: ApiClient | undefined }>
  /** Whether a key may come in the query string. */
  queryKeysAllowed(): boolean
  /** Counts the wrong keys of an address. */
  failedKeyRateLimiter: RateLimiter
}

/** What `requireCaller` leaves for those after it. */
export interface AccessVariables {
  apiClient: ApiClient
  /** A key came in the query, be it the one that counted or not. */
  keyInQuery: boolean
}
type Access = { Variables: AccessVariables }

const CHALLENGE = 'ApiKey realm="quickbooks-token-broker", header="X-API-Key"'

function invalidApiKey(queryKeysAllowed: boolean) {
  return new Problem(
    'invalid_api_key',
    `Send a valid API key in the header X-API-Key${queryKeysAllowed ? ', or in the query parameter api_key' : ''}.`,
  )
}

/** The same answer whether or not the company is connected: it is given before the table is asked. */
function forbidden() {
  return new Problem(
    'forbidden',
    'This API key may not do this, or not for this company. The operator gives it the right.',
  )
}

/** A repeated query parameter names no key. */
function onlyOne(values: string[]) {
  return values.length === 1 ? values[0] : undefined
}

/** What the query has to say of the key. One that is over-long is not read, and has none. */
function keysInQuery(c: Context): string[] {
  return hasShortQuery(c) ? queryValues(c, 'api_key') : []
}

/** A variable of a Worker has at most 5 KB: nothing longer can be right, or is worth a digest. */
const MAX_KEY_LENGTH = 8192

/**
 * Lets callers with a right key through, before anything else of the request is looked at. The header wins. Throws
 * `invalid_api_key`, and `invalid_request` for an over-long query of a caller with a right key.
 */
export function requireApiKey({
  identifyClient,
  queryKeysAllowed,
  failedKeyRateLimiter,
}: ApiKeyDeps): MiddlewareHandler<Access> {
  return async (c, next) => {
    const header = c.req.header('X-API-Key')
    const inQuery = keysInQuery(c)
    c.set('keyInQuery', inQuery.length > 0)
    const allowed = queryKeysAllowed()
    const apiKey = header ?? (allowed ? onlyOne(inQuery) : undefined)
    const isPossible = apiKey === undefined || apiKey.length <= MAX_KEY_LENGTH
    const { apiClient } = await identifyClient(isPossible ? apiKey : undefined)
    if (!apiClient) {
      await failedKeyRateLimiter(clientSubscriber(c))
      c.header('WWW-Authenticate', CHALLENGE)
      throw invalidApiKey(allowed)
    }
    c.set('apiClient', apiClient)
    requireShortQuery(c)
    await next()
  }
}

/** Put before a protected route's handler: asks the caller's key for a right, and for the company of the path. Throws `forbidden`. */
export function requirePermission(permission: Permission): MiddlewareHandler<Access> {
  return async (c, next) => {
    const apiClient = c.get('apiClient')
    if (!apiClient.may.includes(permission)) throw forbidden()
    const companyKey = c.req.param('company_key')
    if (companyKey !== undefined && !canAccess(apiClient, parseCompanyKey(companyKey))) throw forbidden()
    await next()
  }
}
