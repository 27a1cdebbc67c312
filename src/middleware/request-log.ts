import type { Context, MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import type { ApiClient } from '../broker/api-client.ts'
import { isCompanyKey } from '../broker/company.ts'
import type { Source } from '../broker/tokens/get-token.ts'
import { clientAddress, toLoggedNetwork } from '../http/client-address.ts'
import type { Problem, ProblemCode } from '../problem.ts'

/**
 * The log line of a request. It contains no token, code, state, key, secret or query string. Unknown fields are left
 * out.
 */
export interface RequestLine {
  event: 'request'
  /** The pattern that matched, not the path. */
  route: string
  method: string
  status: number
  /** The time until the response was ready. workerd's clock moves only with input and output. */
  ms: number
  request_id: string
  key_name: string | undefined
  /** The query string has an API key, which other logs may store. */
  key_in_query: true | undefined
  company_key: string | undefined
  outcome: ProblemCode | 'ok'
  intuit_tid: string | undefined
  /** Intuit's own error code. */
  intuit_error: string | undefined
  /** Where a token came from. */
  source: Source | undefined
  /** The client's network if the request was denied or limited: IPv4 /24 or IPv6 /48. */
  network: string | undefined
}

/** What handlers set for the log line. A route can set the company key if the path has none. */
export interface LoggedVariables {
  requestId: string
  apiClient: ApiClient | undefined
  keyInQuery: boolean | undefined
  companyKey: string | undefined
  problem: Problem | undefined
  source: Source | undefined
}

/** `/oauth/start/:company_key{.*}` → `/oauth/start/{company_key}` */
function pattern(c: Context) {
  return routePath(c, -1).replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}')
}

function findCompanyKey(c: Context<{ Variables: LoggedVariables }>) {
  const companyKey = c.get('companyKey') ?? c.req.param('company_key')
  return companyKey !== undefined && isCompanyKey(companyKey) ? companyKey : undefined
}

/** Statuses of requests that somebody may repeat on purpose. */
const DENIED = new Set([401, 403, 429])

function deniedNetwork(c: Context) {
  const address = clientAddress(c)
  return address === undefined ? undefined : toLoggedNetwork(address)
}

/** Writes one line per request, when its response is ready. */
export function requestLog(
  write: (line: RequestLine) => void,
  now: () => number,
): MiddlewareHandler<{ Variables: LoggedVariables }> {
  return async (c, next) => {
    const startedAt = now()
    await next()
    const problem = c.get('problem')
    write({
      event: 'request',
      route: pattern(c),
      method: c.req.method,
      status: c.res.status,
      ms: now() - startedAt,
      request_id: c.get('requestId'),
      key_name: c.get('apiClient')?.name,
      key_in_query: c.get('keyInQuery') ? true : undefined,
      company_key: findCompanyKey(c),
      outcome: problem?.code ?? 'ok',
      intuit_tid: problem?.intuitTid,
      intuit_error: problem?.intuitError,
      source: c.get('source'),
      network: DENIED.has(c.res.status) ? deniedNetwork(c) : undefined,
    })
  }
}
