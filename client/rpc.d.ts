import type { Connection, Token } from './index.d.ts'

/** Requirements for a token. */
export interface TokenOptions {
  /** Minimum remaining lifetime in seconds, 0 to 1800. A token refreshed within the last minute always satisfies it. */
  minTtlSeconds?: number
  /** Reads from DynamoDB instead of the broker's caches. */
  fresh?: boolean
}

/** Conditions of a refresh. */
export interface RefreshOptions {
  /** Refreshes only if this generation is still current. Pass the generation of the token that failed. */
  ifGeneration?: number
}

/** The error of a call: a problem (RFC 9457) with the codes of the API. It includes what HTTP sends in status and headers. */
export interface RpcProblem {
  type: 'about:blank'
  title: string
  status: number
  /** What to do next. */
  detail: string
  /** Stable, such as `reconnect_required`. */
  code: string
  /** Intuit's id of the failed call. Intuit support asks for it. */
  intuit_tid?: string | undefined
  /** The page where a person connects the company again. */
  start_url?: string | undefined
  /** Seconds to wait before the next call. */
  retry_after?: number | undefined
  /** Identifies the call in the broker's log. */
  request_id: string
}

/**
 * The broker's entrypoint `Tokens`, for a service binding of another Worker of the same account. There is no API key:
 * any Worker with this binding can read every company's token. Errors are returned, because a thrown error would lose
 * its code: test for one with `'code' in result`. A call throws only if a Worker itself fails.
 */
export interface TokensBinding {
  getToken(companyKey: string, options?: TokenOptions): Promise<Token | RpcProblem>
  /** Gets a newer token than the one in use, whatever its age. */
  refreshToken(companyKey: string, options?: RefreshOptions): Promise<Token | RpcProblem>
  /** Gets the stored data of a connection, without its tokens. */
  getConnection(companyKey: string): Promise<(Connection & { generation: number }) | RpcProblem>
}
