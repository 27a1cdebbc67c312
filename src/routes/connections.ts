import { Hono } from 'hono'
import type { Broker } from '../broker/broker.ts'
import { parseCompanyKey } from '../broker/company.ts'
import { type Connection, type Holdings, holdings, isConnected } from '../broker/connection.ts'
import type { Disconnected } from '../broker/revoke.ts'
import { waitUntil } from '../http/request.ts'
import { requirePermission } from '../middleware/api-key.ts'
import type { ConnectionBody, DisconnectedBody, ListingPlaceholderBody } from './schemas/connection.ts'

/** The response of the API reference, literally. */
const LISTING_PLACEHOLDER: ListingPlaceholderBody = {
  message:
    'Connection listing is not implemented without a DynamoDB scan path. Use /api/connections/{company_key} for known companies.',
  path: '/api/connections',
}

/** The API reference's response of `GET /api/connections/{company_key}`. Unknown values are `null`. */
export function connectionBody(connection: Connection, holds: Holdings = holdings(connection)): ConnectionBody {
  return {
    company_key: connection.companyKey,
    company_name: connection.companyName,
    realm_id: connection.realmId ?? null,
    environment: connection.environment,
    access_token_expires_at: connection.accessTokenExpiresAt ?? null,
    refresh_token_expires_at: connection.refreshTokenExpiresAt ?? null,
    updated_at: connection.updatedAt ?? null,
    created_at: connection.createdAt ?? null,
    last_refresh_at: connection.lastRefreshAt ?? null,
    connected: isConnected(holds),
  }
}

/** `revoked`: Intuit has confirmed it. `revocation`: the state on the record. */
function disconnectedBody({ companyKey, revocation, intuitTid }: Disconnected): DisconnectedBody {
  return {
    company_key: companyKey,
    disconnected: true,
    revoked: revocation === 'confirmed',
    revocation,
    intuit_tid: intuitTid ?? null,
  }
}

/** `GET /api/connections`, `GET` and `DELETE /api/connections/{company_key}`. */
export function connectionRoutes(broker: Broker) {
  return new Hono()
    .get('/', requirePermission('connection:read'), (c) => c.json(LISTING_PLACEHOLDER))
    .get('/:company_key{[^/]*}', requirePermission('connection:read'), async (c) => {
      const companyKey = parseCompanyKey(c.req.param('company_key') ?? '')
      return c.json(connectionBody(await broker.connection(companyKey)))
    })
    .delete('/:company_key{[^/]*}', requirePermission('connection:write'), async (c) => {
      const companyKey = parseCompanyKey(c.req.param('company_key') ?? '')
      return c.json(disconnectedBody(await broker.disconnect(companyKey, waitUntil(c))))
    })
}
