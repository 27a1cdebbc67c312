import { PROBLEM_STATUS, PROBLEM_TITLES, type ProblemCode } from '../../src/problem.ts'
import { PROBLEM_CODES } from '../../src/routes/schemas/problem.ts'

const TID = '1-628f0be4-0b7a7b1e5c0e3f1d2a6c9e84'
const START_URL = 'https://tokens.example.com/oauth/start/beach-blend'
const CONNECT = 'Connect the company again at /oauth/start/beach-blend.'
const AGAIN = 'The key beach-blend is not connected. Begin again at /oauth/start/beach-blend.'
const STILL = 'The key beach-blend is still connected, with the tokens that it had before.'

interface Example {
  /** When the service returns it. */
  when: string
  detail: string
  /** Members that only some problems have. */
  intuit_tid?: string
  start_url?: string
}

/** One example of each problem, with a `detail` that the service returns. */
const EXAMPLES: Record<ProblemCode, Example> = {
  invalid_company_key: {
    when: 'The company key is malformed',
    detail: 'A company key has 1 to 64 letters, digits, hyphens or underscores and begins with a letter or digit.',
  },
  invalid_company_name: {
    when: 'The company name is malformed',
    detail: 'A company name has at most 200 characters, UTF-8, and no control characters.',
  },
  missing_code: {
    when: 'The parameters code and error are missing',
    detail: 'The parameter code is missing. Begin again at the start link.',
  },
  missing_state: {
    when: 'The parameter state is missing',
    detail: 'The parameter state is missing. Begin again at the start link.',
  },
  invalid_state: {
    when: 'The state was used before, has expired, was changed, or belongs to another browser',
    detail:
      'This link was used, has expired, was altered, or was started in another browser. Begin again at /oauth/start/{company_key}.',
  },
  authorization_denied: {
    when: 'The person or Intuit denied the request',
    detail: `The request was denied at Intuit. ${AGAIN}`,
    start_url: START_URL,
  },
  invalid_request: {
    when: 'A parameter, header or body is malformed, repeated or too long',
    detail: 'The query string is longer than 4096 characters.',
  },
  invalid_api_key: {
    when: 'The API key is missing, empty, wrong or expired',
    detail: 'Send a valid API key in the header X-API-Key, or in the query parameter api_key.',
  },
  forbidden: {
    when: 'The API key does not permit this, the request used http, or the link was not opened in a browser tab',
    detail: 'This API key may not do this, or not for this company. The operator gives it the right.',
  },
  invalid_start_link: {
    when: 'The start link is unsigned, changed or expired',
    detail: 'This link has expired or was altered. Ask whoever sent it for a new one.',
  },
  connection_not_found: {
    when: 'No connection is stored under this key',
    detail: 'No connection is stored under this key. Connect it at /oauth/start/{company_key}.',
  },
  not_found: {
    when: 'Nothing exists at this path, or not yet',
    detail: 'The connections were not counted yet. The cron counts them within minutes.',
  },
  method_not_allowed: { when: 'The path does not support this method', detail: 'Use GET, HEAD.' },
  missing_refresh_token: {
    when: 'A refresh is needed or forced, and no refresh token is stored',
    detail: 'No refresh token is stored. Connect the company at /oauth/start/beach-blend.',
  },
  realm_mismatch: {
    when: 'The key is connected to another QuickBooks company',
    detail:
      'The key beach-blend belongs to another QuickBooks company than the one that was chosen. Choose that company at Intuit, ' +
      'or connect this one under a key of its own. To change the company of the key on purpose, the operator first ' +
      `disconnects it with DELETE /api/connections/beach-blend. ${STILL} Begin again at /oauth/start/beach-blend.`,
    start_url: START_URL,
  },
  realm_in_use: {
    when: 'The QuickBooks company is connected under another key, and only one key per company is allowed',
    detail:
      'This QuickBooks company is connected under another key, and one key alone may have it. ' +
      `The operator finds that key in the log. ${AGAIN}`,
    start_url: START_URL,
  },
  generation_mismatch: {
    when: 'The token in If-Match is no longer the current one',
    detail: 'The token was refreshed after the one that If-Match names. Read it again with Cache-Control: no-cache.',
  },
  content_too_large: {
    when: 'The body is longer than 4096 bytes',
    detail: 'The body is longer than 4096 bytes.',
  },
  rate_limited: {
    when: 'There were too many requests from one address or for one company',
    detail: 'There were too many requests of this kind. Try again after the time in Retry-After.',
  },
  configuration_error: {
    when: 'A variable that this route needs is missing or malformed',
    detail: 'The operator has to configure this deployment: DYNAMODB_TABLE is missing.',
  },
  internal_error: {
    when: 'An unexpected error in the service',
    detail: 'Something went wrong here. The operator finds it by X-Request-Id.',
  },
  sealed_token_unreadable: {
    when: 'A stored token cannot be decrypted with the configured keys',
    detail:
      'A stored token cannot be decrypted, and nothing was changed. The operator has to put its key back into TOKEN_ENCRYPTION_KEYS.',
  },
  token_exchange_failed: {
    when: 'Intuit refused the authorization code or the token request of this deployment',
    detail: `Intuit refused the code. ${AGAIN}`,
    intuit_tid: TID,
    start_url: START_URL,
  },
  reconnect_required: {
    when: 'Intuit no longer accepts the connection',
    detail: `Intuit no longer accepts this connection. ${CONNECT}`,
    intuit_tid: TID,
  },
  intuit_unavailable: {
    when: 'Intuit is unreachable, overloaded or returns errors',
    detail: 'Intuit did not respond as expected. The stored tokens are safe. Try again later.',
    intuit_tid: TID,
  },
  intuit_rejected_client: {
    when: 'Intuit rejects the client id and secret of this deployment',
    detail: 'Intuit does not accept the client id and secret of this deployment. The operator has to correct them.',
    intuit_tid: TID,
  },
  storage_unavailable: {
    when: 'DynamoDB is unreachable',
    detail: 'The token store could not be reached. Nothing was lost. Try again in a moment.',
  },
  refresh_in_progress: {
    when: 'Another request is refreshing the token, and the old token has expired',
    detail: 'This token is being refreshed by another request. Try again after the time in Retry-After.',
  },
  prefetch_refused: {
    when: 'The browser prefetched the link',
    detail: 'This link does something when it is opened: do not prefetch it.',
  },
}

const createExample = (code: ProblemCode) => {
  const { when, ...members } = EXAMPLES[code]
  const status = PROBLEM_STATUS[code]
  return { summary: when, value: { type: 'about:blank', title: PROBLEM_TITLES[status], status, code, ...members } }
}

/** `components.examples`: one example for each documented problem, by code. */
export const problemExamples = (documented: ProblemCode[]) =>
  Object.fromEntries(
    PROBLEM_CODES.filter((code) => documented.includes(code)).map((code) => [code, createExample(code)]),
  )

/** Describes when the service returns a problem. */
export const findCondition = (code: ProblemCode): string => EXAMPLES[code].when
