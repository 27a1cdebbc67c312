import type { ProblemCode } from '../../../src/problem.ts'
import { API_PROBLEMS, json, type Operation, STORAGE_PROBLEMS } from '../operation.ts'

const EXAMPLE = {
  ...{ company_key: 'beach-blend', company_name: 'Beach Blend', realm_id: '12314585920123', access_token: 'eyJ...' },
  ...{ access_token_expires_at: 1775689200, refresh_token_expires_at: 1784000000 },
  ...{ updated_at: 1775685600, last_refresh_at: 1775685600, uses_sandbox_credentials: false },
}

const PROBLEMS: ProblemCode[] = [
  'invalid_company_key',
  ...API_PROBLEMS,
  ...(['connection_not_found', 'missing_refresh_token', 'sealed_token_unreadable'] as const),
  ...(['reconnect_required', 'intuit_unavailable', 'intuit_rejected_client', 'token_exchange_failed'] as const),
  'refresh_in_progress',
  ...STORAGE_PROBLEMS,
]

export const TOKEN_OPERATIONS: Operation[] = [
  {
    ...{ path: '/api/token/{company_key}', method: 'get', id: 'getToken', tag: 'Tokens' },
    summary: 'Get a valid access token',
    description:
      'Returns a valid QuickBooks access token for a company connection. If the stored token is expired or close to ' +
      'expiry, the service refreshes it before returning the response. Concurrent requests share one refresh.',
    parameters: ['companyKey', 'minTtl', 'noCache'],
    answers: { 200: json('Valid token returned.', 'Token', EXAMPLE, ['ETag', 'Server-Timing']) },
    problems: PROBLEMS,
  },
  {
    ...{ path: '/api/token/{company_key}/refresh', method: 'post', id: 'refreshToken', tag: 'Tokens' },
    summary: 'Refresh the access token',
    description:
      'Forces a refresh of the stored QuickBooks token for a company connection, even if the current access token has ' +
      'not yet expired. With `If-Match`, refreshes only if that token is still the current one. If a refresh is already ' +
      'running, the request waits for its result. For a failing connection, the service calls Intuit at most once in ten ' +
      'seconds, and not before Intuit’s `Retry-After`. Forced refreshes of one company are rate limited (429).',
    parameters: ['companyKey', 'ifMatch'],
    answers: { 200: json('Refreshed token returned.', 'Token', EXAMPLE, ['ETag', 'Server-Timing']) },
    problems: [...PROBLEMS, 'generation_mismatch'],
  },
]
