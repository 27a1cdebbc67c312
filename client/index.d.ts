/** How a client reaches its broker. */
export interface ClientOptions {
  /** Where the broker is, such as `https://tokens.example.com`: https, or http on loopback. */
  baseUrl: string
  /** Sent in the header `X-API-Key` to the broker and nowhere else. */
  apiKey: string
  /** Sends every request, the ones to QuickBooks too. The global `fetch` if absent. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** Seconds since the epoch. The machine's clock if absent. */
  now?: () => number
  /**
   * Keeps a shared request alive in Workers, which end it with the caller who began it: give the `waitUntil` of
   * `cloudflare:workers`. Without it, those who share such a request wait 5 s for nothing and then begin their own.
   */
  waitUntil?: (promise: Promise<unknown>) => void
}

/** The answer of `GET /api/token/{company_key}`, in its own words. Times are seconds since the epoch. */
export interface Token {
  company_key: string
  company_name: string
  realm_id: string | null
  access_token: string
  access_token_expires_at: number
  refresh_token_expires_at: number | null
  updated_at: number | null
  last_refresh_at: number | null
  uses_sandbox_credentials: boolean
  /** The answer's `ETag`: grows by one with every token pair that the broker stores. */
  generation: number
}

/** The answer of `GET /api/connections/{company_key}`. `null` is what is not known yet. */
export interface Connection {
  company_key: string
  company_name: string
  realm_id: string | null
  environment: 'production' | 'sandbox'
  access_token_expires_at: number | null
  refresh_token_expires_at: number | null
  updated_at: number | null
  created_at: number | null
  last_refresh_at: number | null
  connected: boolean
}

/** What `fetch` takes. Redirects are never followed: some runtimes would carry the token to another origin. */
export type FetchInit = Omit<RequestInit, 'redirect'>

/** Every method throws `BrokerError` where the broker gives no token. */
export interface QuickBooksTokens {
  /**
   * A token that is valid for longer than `minTtlSeconds` (60 if absent): the remembered one, or else the broker's.
   * The broker may answer one that expires earlier where it has just refreshed it, or while Intuit is out of reach.
   */
  token(companyKey: string, options?: { minTtlSeconds?: number }): Promise<Token>

  /**
   * A newer token than the one in use, whatever its age. With `ifGeneration`, Intuit is asked only if that is still the
   * current generation: name the token that failed, and many callers who saw it fail cause one refresh.
   */
  refresh(companyKey: string, options?: { ifGeneration?: number }): Promise<Token>

  /** What is stored about a company, without its tokens. */
  connection(companyKey: string): Promise<Connection>

  /**
   * The global `fetch` with `Authorization: Bearer …`, to https and loopback addresses only. On 401 the token is
   * refreshed and the request sent once more; a body that can be read only once is not, and the 401 is the answer.
   * Where QuickBooks refuses the refreshed token too, later calls that meet a 401 ask the broker for a newer one every
   * 5 s at most, and refresh at growing intervals. A redirect is answered as it is.
   */
  fetch(companyKey: string, url: string | URL, init?: FetchInit): Promise<Response>
}

/** A client of one broker. Throws `TypeError` for an address or key that it must not use. */
export function quickbooksTokens(options: ClientOptions): QuickBooksTokens

/** What is known of a failed request besides its code. */
export interface ErrorFacts {
  status?: number | undefined
  requestId?: string | undefined
  retryAfter?: number | undefined
  intuitTid?: string | undefined
  cause?: unknown
}

/** Why the broker gave no token. Neither the message nor a field holds a token or a key. */
export class BrokerError extends Error {
  /**
   * The broker's own code, such as `reconnect_required`; or `broker_unreachable` (no whole answer came; `cause` says
   * why) or `unexpected_answer` (one came that is not the broker's: look at `baseUrl` and what stands before it).
   */
  readonly code: string
  /** What to do next. */
  readonly detail: string
  /** The HTTP status; `undefined` where no answer came. */
  readonly status: number | undefined
  /** Under which the operator finds the request in the broker's log. */
  readonly requestId: string | undefined
  /** Seconds after which asking again makes sense, where the broker says so. */
  readonly retryAfter: number | undefined
  /** Intuit's id of the call that failed, which its support asks for. */
  readonly intuitTid: string | undefined
  constructor(code: string, detail: string, facts: ErrorFacts)
}
