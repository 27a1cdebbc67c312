import type { Connection, Token } from './index.d.ts'

/** What is asked of a token. */
export interface TokenOptions {
  /** Seconds that it has to live at least, 0 to 1800; a token refreshed within the last minute satisfies it always. */
  minTtlSeconds?: number
  /** Whether DynamoDB has to be asked, whatever is remembered. */
  fresh?: boolean
}

export interface RefreshOptions {
  /** Refreshes only if this is still the current generation: name that of the token that failed. */
  ifGeneration?: number
}

/** Why there is no token: a problem (RFC 9457) with the codes of the API, as it has no status and headers to come with. */
export interface Refusal {
  type: 'about:blank'
  title: string
  status: number
  /** What to do next. */
  detail: string
  /** Stable, such as `reconnect_required`. */
  code: string
  /** Intuit's id of the call that failed, which its support asks for. */
  intuit_tid?: string | undefined
  /** Where a person connects the company again. */
  start_url?: string | undefined
  /** Seconds after which asking again makes sense. */
  retry_after?: number | undefined
  /** Under which the operator finds the call in the broker's log. */
  request_id: string
}

/**
 * The broker's entrypoint `Tokens`, as another Worker of the account has it by a service binding. There is no API key:
 * who holds the binding may ask for every company. A refusal is a value, as a thrown error would arrive without its
 * code: `'code' in answer` tells it from a token. What is thrown is the failure of a Worker, and not of a connection.
 */
export interface TokensBinding {
  getToken(companyKey: string, options?: TokenOptions): Promise<Token | Refusal>
  /** A newer token than the one in use, whatever its age. */
  refreshToken(companyKey: string, options?: RefreshOptions): Promise<Token | Refusal>
  /** What is stored about a company, without its tokens. */
  getConnection(companyKey: string): Promise<(Connection & { generation: number }) | Refusal>
}
