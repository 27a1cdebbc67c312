import { randomUUID } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { COMPANIES, type Environment } from './companies.ts'
import { consentPage, errorPage, PAGE_POLICY } from './consent-page.ts'
import type { Knobs } from './knobs.ts'
import type { Ledger } from './ledger.ts'

export interface IntuitApp {
  environment: Environment
  clientId: string
  clientSecret: string
  redirectUris: string[]
}

interface Pending {
  app: IntuitApp
  redirectUri: string
  state: string
}

const KNOWN_SCOPES = new Set([
  'com.intuit.quickbooks.accounting',
  'com.intuit.quickbooks.payment',
  'openid',
  'profile',
  'email',
])
const REQUIRED = ['client_id', 'scope', 'redirect_uri', 'response_type', 'state'] as const

const page = (c: Context, body: ReturnType<typeof errorPage>, status: 200 | 400) =>
  c.html(body, status, { 'Content-Security-Policy': PAGE_POLICY, 'Cache-Control': 'no-store' })

const back = (redirectUri: string, parameters: Record<string, string>) => {
  const url = new URL(redirectUri)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

interface AuthorizeParts {
  apps: IntuitApp[]
  ledger: Ledger
  knobs(): Knobs
  onRequest(): void
}

/** The authorization endpoint: a page for a person, and the way back (`intuit.com/connect/oauth2`). */
export const authorizeRoutes = ({ apps, ledger, knobs, onRequest }: AuthorizeParts) => {
  const pending = new Map<string, Pending>()

  /** The request, or what is wrong with it. */
  const parse = (c: Context): Pending | string => {
    const missing = REQUIRED.find((name) => c.req.queries(name)?.length !== 1 || !c.req.query(name))
    if (missing) return `The parameter ${missing} must be given once.`
    if (c.req.query('response_type') !== 'code') return 'The parameter response_type must be code.'
    const app = apps.find(({ clientId }) => clientId === c.req.query('client_id'))
    if (!app) return 'The client_id is not known.'
    const redirectUri = c.req.query('redirect_uri') ?? ''
    if (!app.redirectUris.includes(redirectUri)) return 'The redirect_uri is not one of the app.'
    return { app, redirectUri, state: c.req.query('state') ?? '' }
  }

  return new Hono()
    .get('/', (c) => {
      onRequest()
      const request = parse(c)
      if (typeof request === 'string') return page(c, errorPage(request), 400)
      const isKnown = (c.req.query('scope') ?? '').split(' ').every((scope) => KNOWN_SCOPES.has(scope))
      if (!isKnown) return c.redirect(back(request.redirectUri, { error: 'invalid_scope', state: request.state }))
      const id = randomUUID()
      pending.set(id, request)
      return page(c, consentPage(id, COMPANIES[request.app.environment]), 200)
    })
    .post('/decision', async (c) => {
      const form = await c.req.parseBody()
      const request = pending.get(String(form['request']))
      if (!request) return page(c, errorPage('This page was used before. Begin again.'), 400)
      const { app, redirectUri, state } = request
      const realmId = String(form['realm_id'])
      if (form['decision'] === 'allow' && !/^\d{1,19}$/.test(realmId))
        return page(c, errorPage('Choose a company.'), 400)
      pending.delete(String(form['request']))
      const error = knobs().authorizationError
      if (error !== '') return c.redirect(back(redirectUri, { error, state }))
      if (form['decision'] !== 'allow') return c.redirect(back(redirectUri, { error: 'access_denied', state }))
      return c.redirect(back(redirectUri, { code: ledger.issueCode(app, redirectUri, realmId), state, realmId }))
    })
}
