import type { Context, MiddlewareHandler } from 'hono'
import { Hono } from 'hono'
import type { Broker } from './broker/broker.ts'
import type { Fleet } from './fleet/fleet.ts'
import { requestPath } from './http/request.ts'
import { type ApiKeyDeps, requireApiKey } from './middleware/api-key.ts'
import { requireHttps } from './middleware/https-only.ts'
import { requireNavigation } from './middleware/navigation.ts'
import { limitCallbacks, limitStarts, type RateLimiters } from './middleware/rate-limit.ts'
import { type LoggedVariables, type RequestLine, requestLog } from './middleware/request-log.ts'
import { setResponseHeaders } from './middleware/security-headers.ts'
import { Problem, toProblem } from './problem.ts'
import type { Readiness } from './readiness.ts'
import { connectionRoutes } from './routes/connections.ts'
import { fleetRoutes } from './routes/fleet.ts'
import { readyRoutes } from './routes/health.ts'
import type { Cursors } from './routes/list-cursor.ts'
import { oauthRoutes, START_ROUTE } from './routes/oauth.ts'
import { answerProblem, PAGES, pageRoutes } from './routes/pages.ts'
import type { HealthBody } from './routes/schemas/health.ts'
import { startLinkRoutes } from './routes/start-links.ts'
import { statusRoutes } from './routes/status.ts'
import { tokenRoutes } from './routes/tokens.ts'

interface AppDeps extends Omit<ApiKeyDeps, 'failedKeyRateLimiter'> {
  broker: Broker
  fleet: Fleet
  cursors: Cursors
  ready: Readiness
  /** Where the browser is redirected after a successful consent, instead of to our own page. */
  successRedirectUrl(): string | undefined
  rateLimiters: RateLimiters
  /** Milliseconds since the Unix epoch. */
  now(): number
  logRequest(line: RequestLine): void
  /** The origin of the redirect URI. */
  origin(): string
  /** Reports an unknown error to the operator. */
  logUnknownError(error: unknown, requestId: string): void
}

function methodNotAllowed(allow: string) {
  return (c: Context) => {
    c.header('Allow', allow)
    throw new Problem('method_not_allowed', `Use ${allow}.`)
  }
}

/**
 * The methods of each path, for the `Allow` header of a 405. These routes come after the routes that handle the path.
 */
const ALLOWED: Record<string, string> = {
  [`/oauth${START_ROUTE}`]: 'GET',
  '/oauth/start': 'GET',
  '/oauth/callback': 'GET',
  '/api/token/:company_key{[^/]*}/refresh': 'POST',
  '/api/connections/:company_key{[^/]*}/start-links': 'POST',
  '/api/connections/:company_key{[^/]*}': 'GET, HEAD, DELETE',
  ...Object.fromEntries(
    [
      ...Object.keys(PAGES),
      '/health',
      '/ready',
      '/api/token',
      '/api/token/:company_key{[^/]*}',
      '/api/connections/summary',
      '/api/connections',
      '/api/connections/:company_key{[^/]*}/status',
    ].map((path) => [path, 'GET, HEAD']),
  ),
}

/** HEAD would use up a state or a code: Hono runs the GET handler for it. */
const refuseHead: MiddlewareHandler = async (c, next) => {
  if (c.req.method === 'HEAD') methodNotAllowed('GET')(c)
  await next()
}

/** Responds with a problem, and passes it on to the log. */
function answer(c: Context, problem: Problem, broker: Broker) {
  c.set('problem', problem)
  return answerProblem(c, problem, c.get('requestId'), (companyKey) => openStart(broker, companyKey))
}

/** The start URL for a problem. A wrong configuration must not prevent the response. */
function openStart(broker: Broker, companyKey: string) {
  try {
    return broker.startUrl(companyKey, undefined)
  } catch {
    return undefined
  }
}

/** What every request gets: a log line, headers, and a response to every error. */
function createBaseApp({ broker, logRequest, now, logUnknownError }: AppDeps) {
  const app = new Hono<{ Variables: LoggedVariables }>({ getPath: requestPath })
  app.use(requestLog(logRequest, now), setResponseHeaders, requireHttps)
  app.notFound((c) => answer(c, new Problem('not_found', 'There is nothing at this path.'), broker))
  app.onError((error, c) =>
    answer(
      c,
      toProblem(error, (unknown) => logUnknownError(unknown, c.get('requestId'))),
      broker,
    ),
  )
  return app
}

/** The service as one route table. */
export function createApp(deps: AppDeps) {
  const { broker, fleet, rateLimiters, ready, successRedirectUrl, cursors, now, origin } = deps
  const requireKey = requireApiKey({ ...deps, failedKeyRateLimiter: rateLimiters.failedKey })
  const app = createBaseApp(deps)
  app.use('/oauth/start/*', refuseHead)
  app.use('/oauth/callback', refuseHead)
  for (const path of ['/oauth/start', '/oauth/start/*', '/oauth/callback', '/intuit/*'])
    app.get(path, requireNavigation)
  app.get(`/oauth${START_ROUTE}`, limitStarts(rateLimiters))
  app.get('/oauth/callback', limitCallbacks(rateLimiters))
  app.use('/api/*', requireKey)

  app.get('/health', (c) => c.json({ status: 'ok' } satisfies HealthBody))
  app.route('/ready', readyRoutes(ready, requireKey))
  app.route('/oauth', oauthRoutes(broker, successRedirectUrl))
  app.route('/', pageRoutes(broker, rateLimiters.callback))
  app.route('/api/token', tokenRoutes(broker, rateLimiters.forcedRefresh, now))
  app.route('/api/connections', fleetRoutes(fleet, cursors))
  app.route('/api/connections', statusRoutes(broker, now))
  app.route('/api/connections', connectionRoutes(broker))
  app.route('/api/connections', startLinkRoutes(broker, origin))

  for (const [path, allow] of Object.entries(ALLOWED)) app.all(path, methodNotAllowed(allow))
  return app
}
