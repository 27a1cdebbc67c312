import { BEFORE_ANYTHING, json, OF_THE_TABLE, type Operation, oneOf, toSchemaRef } from '../operation.ts'

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
  summary: 'All connections, or a placeholder',
  description:
    'Where an index is configured (`DYNAMODB_FLEET_INDEX`): the connections that the key reaches, soonest to expire ' +
    'first, a page at a time. A page may be short, or empty, and not the last: a request with a filter looks at a bounded ' +
    'number of connections. Go on until `cursor` is `null`. Else returns a placeholder response ' +
    'explaining that full connection listing is not implemented yet without a DynamoDB scan path; it takes no notice of ' +
    'the parameters.',
  parameters: ['limit', 'cursor', 'status', 'environment'],
  answers: {
    200: oneOf('The connections, or the placeholder.', ['Listing', 'ListingPlaceholder'], {
      Listing: { summary: 'With an index', value: { connections: [LISTED], cursor: null } },
      ListingPlaceholder: { summary: 'Without an index', value: PLACEHOLDER },
    }),
  },
  problems: [...BEFORE_ANYTHING, ...OF_THE_TABLE],
}

const DISCONNECT: Operation = {
  ...{ path: '/api/connections/{company_key}', method: 'delete', id: 'disconnect', tag: 'Connections' },
  summary: 'Disconnect a company',
  description:
    'Erases the tokens, keeps what else is stored, and revokes at Intuit. It may be repeated: a revocation that is still `pending` is finished then. Afterwards the key may be ' +
    'connected to another company.',
  parameters: ['companyKey'],
  answers: {
    200: json('The tokens are erased.', 'Disconnected', {
      ...{ company_key: 'beach-blend', disconnected: true, revoked: true, revocation: 'confirmed' },
      intuit_tid: '1-628f0be4-0b7a7b1e5c0e3f1d2a6c9e84',
    }),
  },
  problems: [
    ...(['invalid_company_key', ...BEFORE_ANYTHING, 'connection_not_found'] as const),
    ...(['refresh_in_progress', ...OF_THE_TABLE] as const),
  ],
}

const MAKE_START_LINK: Operation = {
  ...{ path: '/api/connections/{company_key}/start-links', method: 'post', id: 'makeStartLink', tag: 'Connections' },
  summary: 'A link to send to whoever connects the company',
  description:
    'Makes a start link, signed and with an expiry where the deployment signs its links. It may be opened again until it ' +
    'expires.',
  parameters: ['companyKey'],
  requestBody: {
    description: 'May be absent. Without `expires_in` a signed link lives a day.',
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
  problems: ['invalid_company_key', 'invalid_company_name', 'content_too_large', ...BEFORE_ANYTHING],
}

export const CONNECTION_OPERATIONS: Operation[] = [GET_CONNECTION, DISCONNECT, LIST_CONNECTIONS, MAKE_START_LINK]
