import { BEFORE_ANYTHING, json, OF_THE_TABLE, type Operation } from '../operation.ts'

const SUMMARY: Operation = {
  ...{ path: '/api/connections/summary', method: 'get', id: 'getSummary', tag: 'Operators' },
  summary: 'How many connections stand how',
  description:
    'The connections of the whole deployment by status, as the cron counted them last. For keys of all companies. Where ' +
    'no index is configured (`DYNAMODB_FLEET_INDEX`) there is no summary, and this is the connection of the company key ' +
    '`summary`.',
  parameters: [],
  answers: {
    200: json('The counts.', 'Summary', {
      counts: { connected: 61, expiring: 1, failing: 1, reconnect_required: 2, unfinished: 1, disconnected: 0 },
      ...{ total: 66, counted_at: 1775685600 },
    }),
  },
  problems: [...BEFORE_ANYTHING, 'not_found', ...OF_THE_TABLE],
}

const GET_STATUS: Operation = {
  ...{ path: '/api/connections/{company_key}/status', method: 'get', id: 'getConnectionStatus', tag: 'Operators' },
  summary: 'How a connection stands',
  description:
    'The status in one word, how long the refresh token lives, the last error, the last refreshes, and where a person ' +
    'connects again. It asks the table, and Intuit nothing.',
  parameters: ['companyKey'],
  answers: {
    200: json('How it stands.', 'ConnectionStatus', {
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
  problems: ['invalid_company_key', ...BEFORE_ANYTHING, 'connection_not_found', ...OF_THE_TABLE],
}

export const FLEET_OPERATIONS: Operation[] = [SUMMARY, GET_STATUS]
