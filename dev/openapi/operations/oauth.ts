import { HTML, json, OF_THE_TABLE, type Operation } from '../operation.ts'

const START: Operation = {
  ...{ path: '/oauth/start/{company_key}', method: 'get', id: 'startAuthorization', tag: 'OAuth' },
  summary: 'Send a person to Intuit’s consent',
  description:
    'Starts the QuickBooks OAuth flow for a named company connection. If either `company_key` or `company_name` ' +
    'contains `sandbox`, in any case, the sandbox credentials are used. An OAuth state nonce is stored before the ' +
    'redirect; it works once. To be opened in a browser: `HEAD` is refused, and so are prefetches, frames and requests that a page makes. Where the deployment signs ' +
    'its links, only one that was made for this key, name and expiry lets in.',
  parameters: ['companyKey', 'companyName', 'expiresAt', 'keyId', 'signature'],
  answers: { 302: { description: 'Redirect to QuickBooks OAuth.', headers: ['Location', 'Set-Cookie'] } },
  problems: [
    ...(['invalid_company_key', 'invalid_company_name', 'invalid_request', 'method_not_allowed'] as const),
    ...(['invalid_start_link', 'forbidden', 'rate_limited', 'configuration_error', 'prefetch_refused'] as const),
    ...OF_THE_TABLE,
  ],
  open: true,
}

const CALLBACK: Operation = {
  ...{ path: '/oauth/callback', method: 'get', id: 'finishAuthorization', tag: 'OAuth' },
  summary: 'Where Intuit sends the person back',
  description:
    'Completes the QuickBooks OAuth flow, exchanges the authorization code for tokens, and stores the connection ' +
    'record. JSON for `Accept: application/json` and `*/*`, a page where `text/html` is preferred. A token is never ' +
    'shown. The state is used before the code, and what can be refused is refused before the code is used. It runs to its ' +
    'end whether or not the caller waits; a second visit with the same state is 400, and its `detail` tells what the ' +
    'first one came to.',
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
      description: 'As 200, where HTML is preferred and the operator has a page of his own (`SUCCESS_REDIRECT_URL`).',
      headers: ['Location'],
    },
  },
  problems: [
    ...(['missing_code', 'missing_state', 'invalid_state', 'authorization_denied', 'invalid_request'] as const),
    ...(['connection_not_found', 'method_not_allowed', 'realm_mismatch', 'realm_in_use', 'rate_limited'] as const),
    ...(['configuration_error', 'token_exchange_failed', 'intuit_unavailable', 'intuit_rejected_client'] as const),
    ...(['forbidden', 'prefetch_refused', ...OF_THE_TABLE] as const),
  ],
  open: true,
}

export const OAUTH_OPERATIONS: Operation[] = [START, CALLBACK]
