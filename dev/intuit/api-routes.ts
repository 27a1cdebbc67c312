import { randomBytes } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { applyFault, type Env } from './apply-fault.ts'
import { authenticateApp } from './client-authentication.ts'
import type { FaultQueue } from './faults.ts'
import { findRealmId, revokeToken } from './grants.ts'
import type { IdTokenIssuer } from './id-token.ts'
import type { IntuitApp, Issuer } from './issuer.ts'
import { createTokenEndpoint, type TokenUse } from './token-endpoint.ts'

interface ApiDeps {
  apps: IntuitApp[]
  issuer: Issuer
  faults: FaultQueue
  idTokens: IdTokenIssuer
  onTokenUse(use: TokenUse): void
  onRevocation(): void
}

const createTid = () => `1-${randomBytes(4).toString('hex')}-${randomBytes(12).toString('hex')}`

const createRevocationEndpoint =
  ({ apps, issuer, onRevocation }: ApiDeps) =>
  async (c: Context): Promise<Response> => {
    onRevocation()
    const app = authenticateApp(c, apps)
    const body: unknown = await c.req.json().catch(() => undefined)
    const token = typeof body === 'object' && body !== null && 'token' in body ? String(body.token) : ''
    return c.body(null, app && revokeToken(issuer, app, token) ? 200 : 400)
  }

/** The one route of the accounting API that the examples need. */
const createCompanyInfo = (issuer: Issuer) => (c: Context) => {
  const realmId = findRealmId(issuer, (c.req.header('Authorization') ?? '').replace(/^Bearer /, ''))
  if (!realmId) return c.json({ Fault: { type: 'AUTHENTICATION' } }, 401)
  if (realmId !== c.req.param('realmId')) return c.json({ Fault: { type: 'AUTHORIZATION' } }, 403)
  return c.json({ CompanyInfo: { Id: '1', CompanyName: `Company ${realmId}` } })
}

/** The routes that programs call: token endpoint, revocation endpoint and company info. Each response has an `intuit_tid`. */
export const createApiRoutes = (deps: ApiDeps) => {
  const { apps, issuer, faults, idTokens, onTokenUse } = deps
  const requestToken = createTokenEndpoint({ apps, issuer, idTokens, onUse: onTokenUse })
  const revoke = createRevocationEndpoint(deps)
  return new Hono<Env>()
    .use(async (c, next) => {
      await next()
      c.header('intuit_tid', createTid())
    })
    .post('/oauth2/v1/tokens/bearer', (c) => applyFault(c, faults.take('token'), () => requestToken(c)))
    .post('/v2/oauth2/tokens/revoke', (c) => applyFault(c, faults.take('revoke'), () => revoke(c)))
    .get('/v3/company/:realmId/companyinfo/:id', createCompanyInfo(issuer))
}
