import { API_PROBLEMS, json, type Operation, STORAGE_PROBLEMS } from '../operation.ts'

const SUMMARY: Operation = {
  ...{ path: '/api/connections/summary', method: 'get', id: 'getSummary', tag: 'Operators' },
  summary: 'Count connections by status',
  description:
    'Returns the number of connections of the deployment by status, from the last run of the cron job. Requires an API ' +
    'key for all companies. Without an index (`DYNAMODB_FLEET_INDEX`) there is no summary, and this path returns the ' +
    'connection with the company key `summary`.',
  parameters: [],
  answers: {
    200: json('The counts.', 'Summary', {
      counts: { connected: 61, expiring: 1, failing: 1, reconnect_required: 2, unfinished: 1, disconnected: 0 },
      ...{ total: 66, counted_at: 1775685600 },
    }),
  },
  problems: [...API_PROBLEMS, 'not_found', ...STORAGE_PROBLEMS],
}

const GET_STATUS: Operation = {
  ...{ path: '/api/connections/{company_key}/status', method: 'get', id: 'getConnectionStatus', tag: 'Operators' },
  summary: 'Get the status of a connection',
  description:
    'Returns the status, the expiry of the refresh token, the last error, the last refreshes, and the link to connect ' +
    'the company again. Reads DynamoDB and does not call Intuit.',
  parameters: ['companyKey'],
  answers: {
    200: json('The status of the connection.', 'ConnectionStatus', {
      ...{ company_key: 'beach-blend', company_name: 'Beach Blend', environment: 'production', connected: true },
      ...{ status: 'failing', generation: 7, realm_proven_at: 1775600000, last_refresh_at: 1775682000 },
      ...{ refresh_token_expires_at: 1784000000, refresh_token_days_left: 96 },
      ...{ refresh_token_hard_expires_at: 1933280000, refresh_token_hard_days_left: 1824 },
      last_error: {
        ...{ code: 'intuit_unavailable', at: 1775685600, intuit_tid: '1-628f0be4-0b7a7b1e5c0e3f1d2a6c9e84' },
        ...{ since: 1775685500, attempts: 2 },
      },
      next_attempt_at: 1775685630,
      refreshes: [
        { at: 1775685600, outcome: 'intuit_unavailable', attempts: 2 },
        { at: 1775682000, outcome: 'refreshed', rotated: false },
      ],
      disconnection: null,
      reconnect_url: 'https://tokens.example.com/oauth/start/beach-blend',
    }),
  },
  problems: ['invalid_company_key', ...API_PROBLEMS, 'connection_not_found', ...STORAGE_PROBLEMS],
}

export const FLEET_OPERATIONS: Operation[] = [SUMMARY, GET_STATUS]
