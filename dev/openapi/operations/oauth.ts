import { HTML, json, type Operation, STORAGE_PROBLEMS } from '../operation.ts'

const START: Operation = {
  ...{ path: '/oauth/start/{company_key}', method: 'get', id: 'startAuthorization', tag: 'OAuth' },
  summary: 'Start the consent at Intuit',
  description:
    'Starts the QuickBooks OAuth flow for a named company connection. If either `company_key` or `company_name` ' +
    'contains `sandbox`, in any case, the sandbox credentials are used. An OAuth state nonce is stored before the ' +
    'redirect; it works once. Open the link in a browser tab: the service refuses `HEAD`, prefetches, frames and requests ' +
    'from scripts of a page. If the deployment signs its links, the signature must match the key, name and expiry.',
  parameters: ['companyKey', 'companyName', 'expiresAt', 'keyId', 'signature'],
  answers: { 302: { description: 'Redirect to QuickBooks OAuth.', headers: ['Location', 'Set-Cookie'] } },
  problems: [
    ...(['invalid_company_key', 'invalid_company_name', 'invalid_request', 'method_not_allowed'] as const),
    ...(['invalid_start_link', 'forbidden', 'rate_limited', 'configuration_error', 'prefetch_refused'] as const),
    ...STORAGE_PROBLEMS,
  ],
  isOpen: true,
}

const CALLBACK: Operation = {
  ...{ path: '/oauth/callback', method: 'get', id: 'finishAuthorization', tag: 'OAuth' },
  summary: 'Complete the consent',
  description:
    'Completes the QuickBooks OAuth flow, exchanges the authorization code for tokens, and stores the connection ' +
    'record. Returns JSON for `Accept: application/json` and `*/*`, and a page if the client prefers `text/html`. The ' +
    'response never contains a token. The service uses up the state and does every check it can before it exchanges the ' +
    'code. It finishes even if the client disconnects. A second request with the same state returns 400, and its ' +
    '`detail` describes the result of the first one.',
  parameters: ['code', 'state', 'realmId', 'error'],
  answers: {
    200: {
      description: 'Callback completed and tokens were stored.',
      headers: ['Refresh', 'Set-Cookie'],
      content: {
        ...json('', 'Callback', {
          ...{ company_key: 'beach-blend', company_name: 'Beach Blend', realm_id: '12314585920123' },
          ...{ access_token_expires_at: 1775689200, refresh_token_expires_at: 1784000000 },
          ...{ uses_sandbox_credentials: false, connected: true, realm_in_use: false },
        }).content,
        ...HTML,
      },
    },
    303: {
      description: 'As 200, if the client prefers HTML and the operator has set `SUCCESS_REDIRECT_URL`.',
      headers: ['Location'],
    },
  },
  problems: [
    ...(['missing_code', 'missing_state', 'invalid_state', 'authorization_denied', 'invalid_request'] as const),
    ...(['connection_not_found', 'method_not_allowed', 'realm_mismatch', 'realm_in_use', 'rate_limited'] as const),
    ...(['configuration_error', 'token_exchange_failed', 'intuit_unavailable', 'intuit_rejected_client'] as const),
    ...(['forbidden', 'prefetch_refused', ...STORAGE_PROBLEMS] as const),
  ],
  isOpen: true,
}

export const OAUTH_OPERATIONS: Operation[] = [START, CALLBACK]
