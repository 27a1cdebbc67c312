import type { Context, MiddlewareHandler } from 'hono'
import { type ApiClient, canAccess, type Permission } from '../broker/api-client.ts'
import { parseCompanyKey } from '../broker/company.ts'
import { clientSubscriber } from '../http/client-address.ts'
import { hasShortQuery, queryValues, requireShortQuery } from '../http/request.ts'
import { Problem } from '../problem.ts'
import type { RateLimiter } from './rate-limit.ts'

export interface ApiKeyDeps {
  /** Finds the client of a key. Throws `configuration_error` if no key is configured. */
  identifyClient(apiKey: string | undefined): Promise<{ apiClient: ApiClient | undefined }>
  /** Whether API keys in the query string are accepted. */
  queryKeysAllowed(): boolean
  /** Counts invalid keys by address. */
  failedKeyRateLimiter: RateLimiter
}

/** What `requireApiKey` sets for the handlers after it. */
export interface AccessVariables {
  apiClient: ApiClient
  /** The query has an API key, used or not. */
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

/** The same response whether the company is connected or not: it comes before the table is read. */
function forbidden() {
  return new Problem(
    'forbidden',
    'This API key may not do this, or not for this company. The operator gives it the right.',
  )
}

/** A repeated query parameter is no key. */
function onlyOne(values: string[]) {
  return values.length === 1 ? values[0] : undefined
}

/** The API keys in the query. A query that is too long is not read. */
function keysInQuery(c: Context): string[] {
  return hasShortQuery(c) ? queryValues(c, 'api_key') : []
}

/** A variable of a Worker has at most 5 KB, so a longer key cannot be valid. */
const MAX_KEY_LENGTH = 8192

/**
 * Requires a valid API key before anything else of the request is read. The header has priority over the query. Throws
 * `invalid_api_key`, and `invalid_request` for a query that is too long.
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

/**
 * Put before the handler of a protected route. Requires that the API key has a permission, also for the company of the
 * path. Throws `forbidden`.
 */
export function requirePermission(permission: Permission): MiddlewareHandler<Access> {
  return async (c, next) => {
    const apiClient = c.get('apiClient')
    if (!apiClient.may.includes(permission)) throw forbidden()
    const companyKey = c.req.param('company_key')
    if (companyKey !== undefined && !canAccess(apiClient, parseCompanyKey(companyKey))) throw forbidden()
    await next()
  }
}
