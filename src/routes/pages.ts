import type { Context, MiddlewareHandler } from 'hono'
import { Hono } from 'hono'
import type { Broker } from '../broker/broker.ts'
import type { Connected } from '../broker/consent/callback.ts'
import { clientSubscriber } from '../http/client-address.ts'
import { hasShortQuery, prefersHtml, queryValues, waitUntil } from '../http/request.ts'
import type { RateLimiter } from '../middleware/rate-limit.ts'
import { connectedPage } from '../pages/connected.ts'
import { disconnectedPage, noResultPage, reconnectPage } from '../pages/landing.ts'
import { sendPage } from '../pages/layout.ts'
import { getConnectedCookie, getProblemCookie, setConnectedCookie, setProblemCookie } from '../pages/outcome-cookie.ts'
import { type OpenStart, problemPage, toShownProblem } from '../pages/problem.ts'
import { PROBLEM_STATUS, Problem, problemBody } from '../problem.ts'
import { REALM_ID } from './schemas/parameter-formats.ts'

const CALLBACK_PATH = '/oauth/callback'
const CONNECTED_PATH = '/oauth/connected'
const FAILED_PATH = '/oauth/failed'

/**
 * Removes code and state from the address bar and the history without a script: the browser replaces the page at once.
 */
function thenShow(path: string) {
  return { Refresh: `0; url=${path}` }
}

/** The success page of the callback, or a redirect to the operator's own page. */
export function answerConnected(c: Context, { connection, sharesRealm }: Connected, onwardUrl: string | undefined) {
  if (onwardUrl !== undefined) return c.redirect(onwardUrl, 303)
  const shown = { companyName: connection.companyName, realmId: connection.realmId, sharesRealm }
  setConnectedCookie(c, shown)
  return sendPage(c, connectedPage(shown), 200, thenShow(CONNECTED_PATH))
}

/** Responds with a page to a person on the OAuth routes, and with `application/problem+json` to everybody else. */
export function answerProblem(c: Context, problem: Problem, requestId: string, openStart: OpenStart) {
  const status = PROBLEM_STATUS[problem.code]
  const { retryAfterSeconds } = problem
  if (retryAfterSeconds !== undefined) c.header('Retry-After', String(retryAfterSeconds))
  if (!/^\/oauth(\/|$)/.test(c.req.path) || !prefersHtml(c)) {
    return c.body(JSON.stringify(problemBody(problem)), status, {
      'Content-Type': 'application/problem+json',
    })
  }
  const isCallback = c.req.path === CALLBACK_PATH
  const here = new URL(c.req.url)
  if (isCallback) here.pathname = CALLBACK_PATH
  if (!hasShortQuery(c)) here.search = ''
  const shown = toShownProblem(problem, here, requestId, openStart)
  if (!isCallback) return sendPage(c, problemPage(shown), status)
  setProblemCookie(c, shown)
  return sendPage(c, problemPage(shown), status, thenShow(FAILED_PATH))
}

function showKeptProblem(c: Context) {
  const kept = getProblemCookie(c)
  return sendPage(c, kept ? problemPage(kept) : noResultPage())
}

function showKeptConnected(c: Context) {
  const kept = getConnectedCookie(c)
  return sendPage(c, kept ? connectedPage(kept) : noResultPage())
}

/** Served by the static assets, if they are deployed. */
const ASSETS = ['/console', '/docs', '/openapi.json', '/pages.css', '/theme.css']

function assetsAreMissing(): never {
  throw new Problem(
    'not_found',
    'This deployment has no such page: deploy the static assets of public/ with the Worker.',
  )
}

/** The pages that have a path of their own. */
export const PAGES: Record<string, (c: Context) => Promise<Response>> = {
  [CONNECTED_PATH]: showKeptConnected,
  [FAILED_PATH]: showKeptProblem,
  '/intuit/disconnected': (c) => sendPage(c, disconnectedPage()),
  '/intuit/reconnect': (c) => sendPage(c, reconnectPage()),
}

/**
 * Revalidates the company that Intuit's link names, in the background. The link proves nothing, so the response is
 * always the same.
 */
function revalidateInBackground(broker: Broker, rateLimiter: RateLimiter): MiddlewareHandler {
  return async (c, next) => {
    await next()
    if (!hasShortQuery(c)) return
    const [realmId = '', ...others] = queryValues(c, 'realmId')
    if (c.req.method !== 'GET' || others.length > 0 || !REALM_ID.test(realmId)) return
    const looked = rateLimiter(clientSubscriber(c)).then(() => broker.revalidateRealm(realmId, waitUntil(c)))
    waitUntil(c)(looked.catch(() => undefined))
  }
}

/** The pages. A visit to `/intuit/*` revalidates the connection, within the rate limit. */
export function pageRoutes(broker: Broker, rateLimiter: RateLimiter) {
  const routes = new Hono()
  routes.use('/intuit/*', revalidateInBackground(broker, rateLimiter))
  for (const [path, page] of Object.entries(PAGES)) routes.get(path, page)
  for (const path of ASSETS) routes.get(path, assetsAreMissing)
  return routes
}
