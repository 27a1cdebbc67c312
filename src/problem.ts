import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** Every problem code and its HTTP status. The meaning of a code never changes. New codes may be added. */
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

/** A problem code of the API. */
export type ProblemCode = keyof typeof PROBLEM_STATUS

/** Whether a text is a problem code. */
export function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(PROBLEM_STATUS, text)
}

/** The result of a consent: the connected company, or the code of the failure. */
export type ConsentOutcome = { connected: true; companyName: string } | { connected: false; code: ProblemCode }

/** HTTP reason phrases. RFC 9457 section 4.2.1 recommends them as `title` with `about:blank`. */
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

/** The company of a failed consent, from its stored record. */
export interface ProblemCompany {
  name: string
  /** `unknown`: because of the failure, it is not known whether the company is connected. */
  standing: 'connected' | 'reconnect_required' | 'not_connected' | 'unknown'
}

interface ProblemOptions extends ErrorOptions {
  /** Seconds until the caller may retry, for `Retry-After`. */
  retryAfterSeconds?: number | undefined
  /** The `intuit_tid` of the failed call. Intuit's support asks for it. */
  intuitTid?: string | undefined
  /** The OAuth error code from Intuit (RFC 6749 sections 4.1.2.1 and 5.2). */
  intuitError?: string | undefined
  /** Where the person starts again. */
  startUrl?: string | undefined
  /** Whether the person needs a new start link because the opened one has expired. */
  needsNewLink?: boolean | undefined
  company?: ProblemCompany | undefined
  /** For a link that was used before: the result of the first visit. */
  earlierOutcome?: ConsentOutcome | undefined
}

/** The only error type whose message a caller sees. `detail` says what to do next and never contains a secret. */
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

  /** Returns a copy with another `detail` and additional options. */
  with(detail: string, more: ProblemOptions): Problem {
    return new Problem(this.code, detail, { ...this.#options, ...more })
  }
}

/** Returns the problem code of an error; `internal_error` for anything but a `Problem`. */
export function toProblemCode(error: unknown): ProblemCode {
  return error instanceof Problem ? error.code : 'internal_error'
}

/** Returns the problem to send. Reports any other error, and hides its details from the caller. */
export function toProblem(error: unknown, report: (error: unknown) => void): Problem {
  if (error instanceof Problem) return error
  report(error)
  return new Problem('internal_error', 'Something went wrong here. The operator finds it by X-Request-Id.')
}

/** Returns the response body: the members of RFC 9457 section 3.1 and the extension members of this service. */
export function problemBody({ code, message, intuitTid, startUrl }: Problem) {
  const status = PROBLEM_STATUS[code]
  const members = { type: 'about:blank' as const, title: PROBLEM_TITLES[status], status, detail: message, code }
  return { ...members, intuit_tid: intuitTid, start_url: startUrl }
}
