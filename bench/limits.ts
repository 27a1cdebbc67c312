import { BUNDLE_LIMIT_BYTES } from '../dev/bundle.ts'

/** What a route may cost: the calls it makes to DynamoDB, and its round trips one after the other, Intuit's included. */
export interface RouteLimit {
  calls: number
  roundTrips: number
}

export const ROUTES = ['cached', 'uncached', 'start', 'callback', 'refresh'] as const
export type Route = (typeof ROUTES)[number]

/** The table of targets that CI holds: counts and sizes, which no machine's noise touches. */
export const LIMITS = {
  routes: {
    cached: { calls: 0, roundTrips: 0 },
    uncached: { calls: 1, roundTrips: 1 },
    start: { calls: 2, roundTrips: 1 },
    // The outcome is written after the response.
    callback: { calls: 6, roundTrips: 4 },
    refresh: { calls: 3, roundTrips: 4 },
  },
  bundleGzipBytes: BUNDLE_LIMIT_BYTES,
  /** By DynamoDB's rule of sizes and its KB of 1,024 bytes. */
  itemBytes: { usual: 2.5 * 1024, longest: 7 * 1024 },
  /** Of the entries of an isolate's memory, at 10,000 connections. */
  memoryBytes: 8_000_000,
} satisfies { routes: Record<Route, RouteLimit>; [limit: string]: unknown }

/** Characters of the tokens that sizes are stated for; the longest are Intuit's own maxima. */
export const TOKEN_LENGTHS = {
  usual: { accessTokenLength: 1100, refreshTokenLength: 41 },
  longest: { accessTokenLength: 4096, refreshTokenLength: 512 },
}

/** CPU time of one program against another's, in the same run: at most so many times. Stated and measured, never a test. */
export const RATIOS = {
  uncachedToFloor: 1.35,
  cachedToHealth: 1.6,
  uncachedToSdk: 0.7,
  uncachedToNode: 0.7,
  startUpToFloor: 2,
}
