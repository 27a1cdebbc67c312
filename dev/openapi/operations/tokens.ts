import type { ProblemCode } from '../../../src/problem.ts'
import { BEFORE_ANYTHING, json, OF_THE_TABLE, type Operation } from '../operation.ts'

const EXAMPLE = {
  ...{ company_key: 'beach-blend', company_name: 'Beach Blend', realm_id: '12314585920123', access_token: 'eyJ...' },
  ...{ access_token_expires_at: 1775689200, refresh_token_expires_at: 1784000000 },
  ...{ updated_at: 1775685600, last_refresh_at: 1775685600, uses_sandbox_credentials: false },
}

const PROBLEMS: ProblemCode[] = [
  'invalid_company_key',
  ...BEFORE_ANYTHING,
  ...(['connection_not_found', 'missing_refresh_token', 'sealed_token_unreadable'] as const),
  ...(['reconnect_required', 'intuit_unavailable', 'intuit_rejected_client', 'token_exchange_failed'] as const),
  'refresh_in_progress',
  ...OF_THE_TABLE,
]

export const TOKEN_OPERATIONS: Operation[] = [
  {
    ...{ path: '/api/token/{company_key}', method: 'get', id: 'getToken', tag: 'Tokens' },
    summary: 'A valid access token',
    description:
      'Returns a valid QuickBooks access token for a company connection. If the stored token is expired or close to ' +
      'expiry, the service refreshes it before returning the response, once for however many callers.',
    parameters: ['companyKey', 'minTtl', 'noCache'],
    answers: { 200: json('Valid token returned.', 'Token', EXAMPLE, ['ETag', 'Server-Timing']) },
    problems: PROBLEMS,
  },
  {
    ...{ path: '/api/token/{company_key}/refresh', method: 'post', id: 'refreshToken', tag: 'Tokens' },
    summary: 'A new access token',
    description:
      'Forces a refresh of the stored QuickBooks token for a company connection, even if the current access token has ' +
      'not yet expired. With `If-Match` only if the token that it names is still the current one. It joins a refresh ' +
      'that is under way, and asks Intuit about a failing connection once in ten seconds at most, and not before ' +
      'the `Retry-After` of Intuit. The rate of forced refreshes of one company is limited (429).',
    parameters: ['companyKey', 'ifMatch'],
    answers: { 200: json('Refreshed token returned.', 'Token', EXAMPLE, ['ETag', 'Server-Timing']) },
    problems: [...PROBLEMS, 'generation_mismatch'],
  },
]
