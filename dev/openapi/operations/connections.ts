import { BEFORE_ANYTHING, json, OF_THE_TABLE, type Operation } from '../operation.ts'

const GET_CONNECTION: Operation = {
  ...{ path: '/api/connections/{company_key}', method: 'get', id: 'getConnection', tag: 'Connections' },
  summary: 'What is stored, without tokens',
  description:
    'Returns non-secret metadata about a stored company connection. This endpoint is useful for confirming which realm ' +
    'is tied to a company key without exposing the access token.',
  parameters: ['companyKey'],
  answers: {
    200: json('The connection.', 'Connection', {
      ...{ company_key: 'beach-blend', company_name: 'Beach Blend', realm_id: '12314585920123' },
      ...{ environment: 'production', access_token_expires_at: 1775689200, refresh_token_expires_at: 1784000000 },
      ...{ updated_at: 1775685600, created_at: 1775600000, last_refresh_at: 1775685600, connected: true },
    }),
  },
  problems: ['invalid_company_key', ...BEFORE_ANYTHING, 'connection_not_found', ...OF_THE_TABLE],
}

const LIST_CONNECTIONS: Operation = {
  ...{ path: '/api/connections', method: 'get', id: 'listConnections', tag: 'Connections' },
  summary: 'A placeholder',
  description:
    'Returns a placeholder response explaining that full connection listing is not implemented yet without a DynamoDB ' +
    'scan path.',
  parameters: [],
  answers: {
    200: json('The placeholder.', 'ListingPlaceholder', {
      message:
        'Connection listing is not implemented without a DynamoDB scan path. Use /api/connections/{company_key} for known companies.',
      path: '/api/connections',
    }),
  },
  problems: BEFORE_ANYTHING,
}

export const CONNECTION_OPERATIONS: Operation[] = [GET_CONNECTION, LIST_CONNECTIONS]
