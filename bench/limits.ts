import { BUNDLE_LIMIT_BYTES } from '../dev/bundle.ts'

/** The calls of a route to DynamoDB, and its consecutive round trips, including those to Intuit. */
export interface RouteLimit {
  calls: number
  roundTrips: number
}

export const ROUTES = ['cached', 'uncached', 'start', 'callback', 'refresh'] as const
export type Route = (typeof ROUTES)[number]

/** Counts and sizes. They do not depend on the machine, so the tests hold them. */
export const LIMITS = {
  routes: {
    cached: { calls: 0, roundTrips: 0 },
    uncached: { calls: 1, roundTrips: 1 },
    start: { calls: 2, roundTrips: 1 },
    // The Worker stores the outcome after the response.
    callback: { calls: 6, roundTrips: 4 },
    refresh: { calls: 3, roundTrips: 4 },
  },
  bundleGzipBytes: BUNDLE_LIMIT_BYTES,
  /** By DynamoDB's rule for sizes, with a KB of 1,024 bytes. */
  itemBytes: { usual: 2.5 * 1024, longest: 7 * 1024 },
  /** Of all entries of the token cache, with 10,000 connections in use. */
  tokenCacheBytes: 8_000_000,
} satisfies { routes: Record<Route, RouteLimit>; [limit: string]: unknown }

/** The lengths in characters that sizes are stated for. The longest are Intuit's maxima. */
export const TOKEN_LENGTHS = {
  usual: { accessTokenLength: 1100, refreshTokenLength: 41 },
  longest: { accessTokenLength: 4096, refreshTokenLength: 512 },
}

/** The largest ratios of CPU time in one run. The benchmark reports them. No test holds them, because machines differ. */
export const RATIOS = {
  uncachedToFloor: 1.35,
  cachedToHealth: 1.6,
  uncachedToSdk: 0.7,
  /** Start-up and first token together. */
  firstTokenToSdk: 0.7,
}
