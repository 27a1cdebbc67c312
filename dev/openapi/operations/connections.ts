import { API_PROBLEMS, json, type Operation, oneOf, STORAGE_PROBLEMS, toSchemaRef } from '../operation.ts'

const GET_CONNECTION: Operation = {
  ...{ path: '/api/connections/{company_key}', method: 'get', id: 'getConnection', tag: 'Connections' },
  summary: 'Get a connection',
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
  problems: ['invalid_company_key', ...API_PROBLEMS, 'connection_not_found', ...STORAGE_PROBLEMS],
}

const LISTED = {
  ...{ company_key: 'beach-blend', company_name: 'Beach Blend', realm_id: '12314585920123' },
  ...{ environment: 'production', access_token_expires_at: 1775689200, refresh_token_expires_at: 1784000000 },
  ...{ updated_at: 1775685600, created_at: 1775600000, last_refresh_at: 1775685600, connected: true },
  ...{ status: 'connected', generation: 7, refresh_token_hard_expires_at: 1933280000 },
}

const PLACEHOLDER = {
  message:
    'Connection listing is not implemented without a DynamoDB scan path. Use /api/connections/{company_key} for known companies.',
  path: '/api/connections',
}

const LIST_CONNECTIONS: Operation = {
  ...{ path: '/api/connections', method: 'get', id: 'listConnections', tag: 'Connections' },
  summary: 'List connections',
  description:
    'With an index (`DYNAMODB_FLEET_INDEX`), returns one page of the connections that the API key can access. The ' +
    'connection that expires first comes first. A page can be short or empty without being the last one, because a ' +
    'request with a filter reads a limited number of connections. Continue until `cursor` is `null`. Without an index, ' +
    'ignores the parameters and returns a placeholder response explaining that full connection listing is not ' +
    'implemented yet without a DynamoDB scan path.',
  parameters: ['limit', 'cursor', 'status', 'environment'],
  answers: {
    200: oneOf('A page of connections, or the placeholder.', ['Listing', 'ListingPlaceholder'], {
      Listing: { summary: 'With an index', value: { connections: [LISTED], cursor: null } },
      ListingPlaceholder: { summary: 'Without an index', value: PLACEHOLDER },
    }),
  },
  problems: [...API_PROBLEMS, ...STORAGE_PROBLEMS],
}

const DISCONNECT: Operation = {
  ...{ path: '/api/connections/{company_key}', method: 'delete', id: 'disconnect', tag: 'Connections' },
  summary: 'Disconnect a company',
  description:
    'Erases the stored tokens, keeps the rest of the record, and revokes the connection at Intuit. Idempotent: another ' +
    'call retries a revocation that is still `pending`. Afterwards you can connect the key to another company.',
  parameters: ['companyKey'],
  answers: {
    200: json('The tokens were erased.', 'Disconnected', {
      ...{ company_key: 'beach-blend', disconnected: true, revoked: true, revocation: 'confirmed' },
      intuit_tid: '1-628f0be4-0b7a7b1e5c0e3f1d2a6c9e84',
    }),
  },
  problems: [
    ...(['invalid_company_key', ...API_PROBLEMS, 'connection_not_found'] as const),
    ...(['refresh_in_progress', ...STORAGE_PROBLEMS] as const),
  ],
}

const CREATE_START_LINK: Operation = {
  ...{ path: '/api/connections/{company_key}/start-links', method: 'post', id: 'makeStartLink', tag: 'Connections' },
  summary: 'Create a start link',
  description:
    'Creates the link to send to the person who connects the company. If the deployment signs its links, the link is ' +
    'signed and expires. A person can open it several times until then.',
  parameters: ['companyKey'],
  requestBody: {
    description: 'Optional. Without `expires_in`, a signed link is valid for one day.',
    content: {
      'application/json': {
        schema: toSchemaRef('StartLinkRequest'),
        example: { company_name: 'Beach Blend', expires_in: 3600 },
      },
    },
  },
  answers: {
    201: json('The link.', 'StartLink', {
      url: 'https://tokens.example.com/oauth/start/beach-blend?company_name=Beach+Blend',
      expires_at: null,
    }),
  },
  problems: ['invalid_company_key', 'invalid_company_name', 'content_too_large', ...API_PROBLEMS],
}

export const CONNECTION_OPERATIONS: Operation[] = [GET_CONNECTION, DISCONNECT, LIST_CONNECTIONS, CREATE_START_LINK]
