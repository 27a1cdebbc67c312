import type { MiddlewareHandler } from 'hono'
import { Hono } from 'hono/tiny'
import type { Broker } from './broker/broker.ts'
import { Problem } from './problem.ts'
import { type AccessParts, type AccessVariables, requireCaller } from './routes/access.ts'
import { connectionRoutes } from './routes/connections.ts'
import { oauthRoutes } from './routes/oauth.ts'
import { answerProblem, PAGES, pageRoutes } from './routes/pages.ts'
import { tokenRoutes } from './routes/tokens.ts'

interface AppParts extends AccessParts {
  broker: Broker
  /** Where a person's browser goes on to after success, instead of a page of ours. */
  successRedirectUrl(): string | undefined
  /** Receives what an unknown error was, for the operator's eyes. */
  reportFault(error: unknown, requestId: string): void
}

type Variables = { requestId: string } & AccessVariables

const dressAnswers: MiddlewareHandler<{ Variables: Variables }> = async (c, next) => {
  const requestId = crypto.randomUUID()
  c.set('requestId', requestId)
  await next()
  c.header('X-Request-Id', requestId)
  if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store')
  c.header('Referrer-Policy', 'no-referrer')
  c.header('X-Content-Type-Options', 'nosniff')
}

const methodNotAllowed = (allow: string) => () => {
  throw new Problem('method_not_allowed', `Use ${allow}.`, { headers: { Allow: allow } })
}

/** HEAD would spend a state or a code, and Hono answers it wherever GET is answered. */
const refuseHead: MiddlewareHandler = async (c, next) => {
  if (c.req.method === 'HEAD') methodNotAllowed('GET')()
  await next()
}

/** The whole service as one route table. */
export const createApp = ({ broker, successRedirectUrl, reportFault, ...access }: AppParts) => {
  const app = new Hono<{ Variables: Variables }>()
  app.use(dressAnswers)
  app.use('/oauth/start/*', refuseHead)
  app.use('/oauth/callback', refuseHead)
  app.use('/api/*', requireCaller(access))

  app.get('/health', (c) => c.json({ status: 'ok' }))
  app.route('/oauth', oauthRoutes(broker, successRedirectUrl))
  app.route('/', pageRoutes())
  app.route('/api/token', tokenRoutes(broker))
  app.route('/api/connections', connectionRoutes(broker))

  app.all('/oauth/start/:company_key{.*}', methodNotAllowed('GET'))
  app.all('/oauth/start', methodNotAllowed('GET'))
  app.all('/oauth/callback', methodNotAllowed('GET'))
  app.all('/api/token/:company_key{[^/]*}/refresh', methodNotAllowed('POST'))
  for (const path of [
    ...Object.keys(PAGES),
    '/health',
    '/api/token',
    '/api/token/:company_key{[^/]*}',
    '/api/connections',
    '/api/connections/:company_key{[^/]*}',
  ]) {
    app.all(path, methodNotAllowed('GET, HEAD'))
  }

  app.notFound((c) => answerProblem(c, new Problem('not_found', 'There is nothing at this path.'), c.get('requestId')))
  app.onError((error, c) => {
    const requestId = c.get('requestId')
    if (error instanceof Problem) return answerProblem(c, error, requestId)
    reportFault(error, requestId)
    const detail = 'Something went wrong here. The operator finds it by X-Request-Id.'
    return answerProblem(c, new Problem('internal_error', detail), requestId)
  })
  return app
}
