import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** Every code this service answers, with its status. A code never changes its meaning; more may be added. */
export const PROBLEM_STATUS = {
  invalid_company_key: 400,
  invalid_company_name: 400,
  missing_code: 400,
  missing_state: 400,
  invalid_state: 400,
  authorization_denied: 400,
  invalid_request: 400,
  invalid_api_key: 401,
  forbidden: 403,
  invalid_start_link: 403,
  connection_not_found: 404,
  not_found: 404,
  method_not_allowed: 405,
  missing_refresh_token: 409,
  realm_mismatch: 409,
  realm_in_use: 409,
  generation_mismatch: 412,
  content_too_large: 413,
  rate_limited: 429,
  configuration_error: 500,
  internal_error: 500,
  sealed_token_unreadable: 500,
  token_exchange_failed: 502,
  reconnect_required: 502,
  intuit_unavailable: 502,
  intuit_rejected_client: 502,
  storage_unavailable: 503,
  refresh_in_progress: 503,
  prefetch_refused: 503,
} as const satisfies Record<string, ContentfulStatusCode>

export type ProblemCode = keyof typeof PROBLEM_STATUS

export function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(PROBLEM_STATUS, text)
}

/** What became of a consent: the company was connected, or why not. */
export type ConsentOutcome = { connected: true; companyName: string } | { connected: false; code: ProblemCode }

/** HTTP's own phrase for a status: the title that RFC 9457 section 4.2.1 wants beside `about:blank`. */
export const PROBLEM_TITLES: Record<(typeof PROBLEM_STATUS)[ProblemCode], string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
}

/** The company of a failed consent, as it is stored. */
export interface ProblemCompany {
  name: string
  /** `unknown`: the failure itself leaves open whether the company is connected. */
  standing: 'connected' | 'reconnect_required' | 'not_connected' | 'unknown'
}

interface ProblemOptions extends ErrorOptions {
  /** How long the caller waits before it asks again, in seconds. */
  retryAfterSeconds?: number | undefined
  /** Intuit's id of the failed call, which its support asks for. */
  intuitTid?: string | undefined
  /** Intuit's own error code (RFC 6749 sections 4.1.2.1 and 5.2). */
  intuitError?: string | undefined
  /** Where the person begins again. */
  startUrl?: string | undefined
  /** Whether the person needs a new start link: the one that was opened has expired meanwhile. */
  needsNewLink?: boolean | undefined
  company?: ProblemCompany | undefined
  /** Of a link that was used before: what its first visit came to. */
  earlierOutcome?: ConsentOutcome | undefined
}

/** The one error that reaches a caller. `detail` says what to do next and never holds a secret. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly retryAfterSeconds: number | undefined
  readonly intuitTid: string | undefined
  readonly intuitError: string | undefined
  readonly startUrl: string | undefined
  readonly earlierOutcome: ConsentOutcome | undefined
  readonly needsNewLink: boolean
  readonly company: ProblemCompany | undefined
  readonly #options: ProblemOptions

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options)
    this.code = code
    this.retryAfterSeconds = options.retryAfterSeconds
    this.intuitTid = options.intuitTid
    this.intuitError = options.intuitError
    this.startUrl = options.startUrl
    this.earlierOutcome = options.earlierOutcome
    this.needsNewLink = options.needsNewLink ?? false
    this.company = options.company
    this.#options = options
  }

  /** The same problem with another `detail`, and with what its thrower did not know. */
  with(detail: string, more: ProblemOptions): Problem {
    return new Problem(this.code, detail, { ...this.#options, ...more })
  }
}

/** The problem code of any error. */
export function toProblemCode(error: unknown): ProblemCode {
  return error instanceof Problem ? error.code : 'internal_error'
}

/** The problem for the response. An error that is not a `Problem` is reported, and the caller gets no details of it. */
export function toProblem(error: unknown, report: (error: unknown) => void): Problem {
  if (error instanceof Problem) return error
  report(error)
  return new Problem('internal_error', 'Something went wrong here. The operator finds it by X-Request-Id.')
}

/** The members of a problem (RFC 9457 section 3.1), and ours. */
export function problemBody({ code, message, intuitTid, startUrl }: Problem) {
  const status = PROBLEM_STATUS[code]
  const members = { type: 'about:blank' as const, title: PROBLEM_TITLES[status], status, detail: message, code }
  return { ...members, intuit_tid: intuitTid, start_url: startUrl }
}
