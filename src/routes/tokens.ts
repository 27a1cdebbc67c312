import type { Context } from 'hono'
import { Hono } from 'hono/tiny'
import type { Broker } from '../broker/broker.ts'
import { parseCompanyKey } from '../broker/company.ts'
import type { UsableToken } from '../broker/connection.ts'
import { keepAlive } from './http.ts'

/** The API reference's response of `GET /api/token/{company_key}`. What a record written by hand does not tell is `null`. */
const tokenBody = ({ accessToken, connection }: UsableToken) => ({
  company_key: connection.companyKey,
  company_name: connection.companyName,
  realm_id: connection.realmId ?? null,
  access_token: accessToken,
  access_token_expires_at: connection.accessTokenExpiresAt,
  refresh_token_expires_at: connection.refreshTokenExpiresAt ?? null,
  updated_at: connection.updatedAt ?? null,
  last_refresh_at: connection.lastRefreshAt ?? null,
  uses_sandbox_credentials: connection.environment === 'sandbox',
})

/** `GET /api/token/{company_key}` and `POST /api/token/{company_key}/refresh`. */
export const tokenRoutes = (broker: Broker) => {
  const companyKey = (c: Context) => parseCompanyKey(c.req.param('company_key') ?? '')
  const token = async (c: Context) => c.json(tokenBody(await broker.freshToken(companyKey(c), keepAlive(c))))
  const refresh = async (c: Context) => c.json(tokenBody(await broker.refreshedToken(companyKey(c), keepAlive(c))))

  return new Hono().get('/', token).get('/:company_key{[^/]*}', token).post('/:company_key{[^/]*}/refresh', refresh)
}
