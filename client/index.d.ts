/** How a client reaches its broker. */
export interface ClientOptions {
  /** The broker's address, such as `https://tokens.example.com`: https, or http on loopback. */
  baseUrl: string
  /** Sent to the broker in the header `X-API-Key`, and nowhere else. */
  apiKey: string
  /** Sends every request, including those to QuickBooks. Default: the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** The current time in epoch seconds. Default: the system clock. */
  now?: () => number
  /**
   * Keeps a shared request alive in Workers, which cancel it when the caller that started it disconnects. Pass
   * `waitUntil` from `cloudflare:workers`. Without it, the other callers of a cancelled request wait 5 s and then send
   * their own.
   */
  waitUntil?: (promise: Promise<unknown>) => void
}

/** The response of `GET /api/token/{company_key}`, with the API's member names. Times are epoch seconds. */
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
  /** The response's `ETag`: increases by one with every token pair that the broker stores. */
  generation: number
}

/** The response of `GET /api/connections/{company_key}`. Times are epoch seconds. `null` means not known yet. */
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

/** The options of `fetch`. Redirects are never followed: some runtimes would send the token to another origin. */
export type FetchInit = Omit<RequestInit, 'redirect'>

/** A client of one broker. Every method throws `BrokerError` if the broker returns an error. */
export interface QuickBooksTokens {
  /**
   * Gets a token that is valid for more than `minTtlSeconds` (default 60), from the cache or from the broker. The broker
   * may return one that expires earlier if it has just refreshed it, or while Intuit is unavailable.
   */
  token(companyKey: string, options?: { minTtlSeconds?: number }): Promise<Token>

  /**
   * Gets a newer token than the one in use, whatever its age. With `ifGeneration`, the broker calls Intuit only if that
   * generation is still current. Pass the generation of the token that failed: many callers that saw it fail then cause
   * one refresh. If the broker limits the rate of refreshes, resolves with a newer token that the broker has stored, or
   * throws `rate_limited` if there is none.
   */
  refresh(companyKey: string, options?: { ifGeneration?: number }): Promise<Token>

  /** Gets the stored data of a connection, without its tokens. */
  connection(companyKey: string): Promise<Connection>

  /**
   * The global `fetch` with `Authorization: Bearer …`, for https and loopback addresses only. After a 401, it refreshes
   * the token and sends the request once more. If the body can be read only once, it returns the 401 instead. If
   * QuickBooks rejects the refreshed token too, later calls that get a 401 read from the broker at most every 5 s and
   * refresh at growing intervals. Redirects are returned, not followed.
   */
  fetch(companyKey: string, url: string | URL, init?: FetchInit): Promise<Response>
}

/** Creates a client of one broker. Throws `TypeError` for an address or key that it must not use. */
export function quickbooksTokens(options: ClientOptions): QuickBooksTokens

/** What is known about a failed request besides its code. */
export interface ErrorFacts {
  status?: number | undefined
  requestId?: string | undefined
  retryAfter?: number | undefined
  intuitTid?: string | undefined
  cause?: unknown
}

/** The broker returned no token. Neither the message nor a field contains a token or a key. */
export class BrokerError extends Error {
  /**
   * The broker's code, such as `reconnect_required`. Or `broker_unreachable`: no complete response, see `cause`. Or
   * `unexpected_answer`: the response is not from the broker; check `baseUrl` and any proxy in front of the broker.
   */
  readonly code: string
  /** What to do next. */
  readonly detail: string
  /** The HTTP status; `undefined` without a response. */
  readonly status: number | undefined
  /** Identifies the request in the broker's log. */
  readonly requestId: string | undefined
  /** Seconds to wait before the next request, if the broker says so. */
  readonly retryAfter: number | undefined
  /** Intuit's id of the failed call. Intuit support asks for it. */
  readonly intuitTid: string | undefined
  constructor(code: string, detail: string, facts: ErrorFacts)
}
