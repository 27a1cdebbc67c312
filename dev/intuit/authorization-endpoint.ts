import { randomUUID } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { issueCode } from './codes.ts'
import { COMPANIES } from './companies.ts'
import { PAGE_POLICY, renderConsentPage, renderErrorPage } from './consent-page.ts'
import type { IntuitApp, Issuer } from './issuer.ts'
import type { AuthorizationOptions } from './state.ts'

interface AuthorizationRequest {
  app: IntuitApp
  redirectUri: string
  state: string
  options: AuthorizationOptions
}

interface AuthorizationDeps {
  apps: IntuitApp[]
  issuer: Issuer
  onRequest(): void
}

const KNOWN_SCOPES = new Set([
  'com.intuit.quickbooks.accounting',
  'com.intuit.quickbooks.payment',
  'openid',
  'profile',
  'email',
])
const REQUIRED = ['client_id', 'scope', 'redirect_uri', 'response_type', 'state'] as const

const respondWithPage = (c: Context, body: ReturnType<typeof renderErrorPage>, status: 200 | 400) =>
  c.html(body, status, { 'Content-Security-Policy': PAGE_POLICY, 'Cache-Control': 'no-store' })

const addParameters = (redirectUri: string, parameters: Record<string, string>) => {
  const url = new URL(redirectUri)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

/** OpenID Connect Core 1.0 section 3.1.2.1 and RFC 7636 section 4.3. Returns a text that describes the fault. */
const parseOptions = (c: Context): AuthorizationOptions | string => {
  const codeChallenge = c.req.query('code_challenge')
  if (codeChallenge !== undefined && c.req.query('code_challenge_method') !== 'S256')
    return 'The parameter code_challenge_method must be S256.'
  if (codeChallenge !== undefined && !/^[\w-]{43}$/.test(codeChallenge))
    return 'The parameter code_challenge must be a SHA-256 in base64url.'
  const asksForIdToken = (c.req.query('scope') ?? '').split(' ').includes('openid')
  return { openIdNonce: asksForIdToken ? (c.req.query('nonce') ?? '') : undefined, codeChallenge }
}

/** Returns a text that describes the fault of an invalid request. */
const parseRequest = (c: Context, apps: IntuitApp[]): AuthorizationRequest | string => {
  const missing = REQUIRED.find((name) => c.req.queries(name)?.length !== 1 || !c.req.query(name))
  if (missing) return `The parameter ${missing} must be given once.`
  if (c.req.query('response_type') !== 'code') return 'The parameter response_type must be code.'
  const app = apps.find(({ clientId }) => clientId === c.req.query('client_id'))
  if (!app) return 'The client_id is unknown.'
  const redirectUri = c.req.query('redirect_uri') ?? ''
  if (!app.redirectUris.includes(redirectUri)) return 'The redirect_uri is not registered for the app.'
  const options = parseOptions(c)
  return typeof options === 'string' ? options : { app, redirectUri, state: c.req.query('state') ?? '', options }
}

/** The redirect after the person's decision. */
const toRedirect = (issuer: Issuer, request: AuthorizationRequest, isAllowed: boolean, realmId: string) => {
  const { app, redirectUri, state, options } = request
  const error = issuer.knobs().authorizationError
  if (error !== '') return addParameters(redirectUri, { error, state })
  if (!isAllowed) return addParameters(redirectUri, { error: 'access_denied', state })
  return addParameters(redirectUri, { code: issueCode(issuer, app, redirectUri, realmId, options), state, realmId })
}

/** The authorization endpoint (`appcenter.intuit.com/connect/oauth2`): the consent page, and the redirect after it. */
export const createAuthorizationRoutes = ({ apps, issuer, onRequest }: AuthorizationDeps) => {
  const pending = new Map<string, AuthorizationRequest>()

  return new Hono()
    .get('/', (c) => {
      onRequest()
      const request = parseRequest(c, apps)
      if (typeof request === 'string') return respondWithPage(c, renderErrorPage(request), 400)
      const isKnown = (c.req.query('scope') ?? '').split(' ').every((scope) => KNOWN_SCOPES.has(scope))
      if (!isKnown)
        return c.redirect(addParameters(request.redirectUri, { error: 'invalid_scope', state: request.state }))
      const id = randomUUID()
      pending.set(id, request)
      return respondWithPage(c, renderConsentPage(id, COMPANIES[request.app.environment]), 200)
    })
    .post('/decision', async (c) => {
      const form = await c.req.parseBody()
      const id = String(form['request'])
      const request = pending.get(id)
      if (!request) return respondWithPage(c, renderErrorPage('This page was used before. Start again.'), 400)
      const isAllowed = form['decision'] === 'allow'
      const realmId = String(form['realm_id'])
      if (isAllowed && !/^[1-9]\d{0,18}$/.test(realmId))
        return respondWithPage(c, renderErrorPage('Choose a company.'), 400)
      pending.delete(id)
      return c.redirect(toRedirect(issuer, request, isAllowed, realmId))
    })
}
