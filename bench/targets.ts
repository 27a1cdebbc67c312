import { countGzippedBytes } from '../dev/bundle.ts'
import type { Figures } from './alternate.ts'
import { LIMITS, RATIOS, ROUTES, type Route, type RouteLimit } from './limits.ts'
import { findNodeTraces } from './node-traces.ts'
import type { StartUp } from './start-up.ts'
import { type Spread, toRatio } from './statistics.ts'

/** One line of the table of targets. */
export interface Target {
  what: string
  target: string
  measured: string
  isMet: boolean
}

/** The results of one run. */
export interface Measured {
  figures: Figures
  startUp: Record<string, StartUp>
  calls: Record<Route, RouteLimit>
  itemBytes: Record<'usual' | 'longest', number>
  script: string
  tokenCache: { bytes: number; entries: number }
}

/** `1.21 × (1.15 – 1.30)`: the median and the quartiles. */
export const formatTimes = ({ median, low, high }: Spread) =>
  `${median.toFixed(2)} × (${low.toFixed(2)} – ${high.toFixed(2)})`

const atMost = (what: string, limit: number, measured: Spread): Target => ({
  what,
  target: `at most ${limit} ×`,
  measured: formatTimes(measured),
  isMet: measured.median <= limit,
})

/** The compared ratios of CPU time. `before: ` as a prefix selects the Worker of the other checkout. */
export const toCpuRatios = ({ figures, startUp }: Pick<Measured, 'figures' | 'startUp'>, prefix = '') => {
  const [uncached, cached, health] = ['uncached', 'cached', 'health'].map((name) => figures(`${prefix}${name}`))
  const service = startUp[prefix ? 'before' : 'service']?.firstToken ?? []
  return {
    uncachedToFloor: toRatio(uncached ?? [], figures('floor')),
    cachedToHealth: toRatio(cached ?? [], health ?? []),
    uncachedToSdk: toRatio(uncached ?? [], figures('sdk')),
    firstTokenToSdk: toRatio(service, startUp['sdk']?.firstToken ?? []),
  }
}

/** How the reports name each ratio. */
export const RATIO_NAMES: Record<keyof typeof RATIOS, string> = {
  uncachedToFloor: 'CPU time: uncached read, to the floor',
  cachedToHealth: 'CPU time: cached read, to `/health`',
  uncachedToSdk: 'CPU time: uncached read, to the SDK Worker',
  firstTokenToSdk: 'CPU time: start-up and first token, to the SDK Worker',
}

const createCpuTargets = (measured: Measured): Target[] => {
  const ratios = toCpuRatios(measured)
  const names = ['uncachedToFloor', 'cachedToHealth', 'uncachedToSdk', 'firstTokenToSdk'] as const
  return names.map((name) => atMost(RATIO_NAMES[name], RATIOS[name], ratios[name]))
}

const createRouteTargets = ({ calls }: Measured): Target[] =>
  ROUTES.map((route) => {
    const [limit, counted] = [LIMITS.routes[route], calls[route]]
    return {
      what: `DynamoDB calls; consecutive round trips: ${route}`,
      target: `at most ${limit.calls}; ${limit.roundTrips}`,
      measured: `${counted.calls}; ${counted.roundTrips}`,
      isMet: counted.calls <= limit.calls && counted.roundTrips <= limit.roundTrips,
    }
  })

const createSizeTarget = (what: string, limit: number, bytes: number): Target => ({
  what,
  target: `under ${limit} bytes`,
  measured: `${bytes} bytes`,
  isMet: bytes < limit,
})

const createBundleTarget = ({ script }: Measured): Target => {
  const gzip = countGzippedBytes(script)
  const traces = findNodeTraces(script)
  return {
    what: 'Bundle, minified and gzipped',
    target: `at most ${LIMITS.bundleGzipBytes} bytes, no Node API`,
    measured: `${gzip} bytes, ${traces.length === 0 ? 'none' : traces.join(', ')}`,
    isMet: gzip <= LIMITS.bundleGzipBytes && traces.length === 0,
  }
}

/** Compares a run with its targets. */
export const createTargets = (measured: Measured): Target[] => {
  const { itemBytes, tokenCache } = measured
  return [
    ...createCpuTargets(measured),
    ...createRouteTargets(measured),
    createBundleTarget(measured),
    createSizeTarget('Item with tokens of 1,100 and 41 characters', LIMITS.itemBytes.usual, itemBytes.usual),
    createSizeTarget('Item with tokens of 4,096 and 512 characters', LIMITS.itemBytes.longest, itemBytes.longest),
    {
      what: 'Token cache of an isolate with 10,000 connections in use',
      target: `at most ${LIMITS.tokenCacheBytes} bytes`,
      measured: `${tokenCache.bytes} bytes, ${tokenCache.entries} connections`,
      isMet: tokenCache.bytes <= LIMITS.tokenCacheBytes,
    },
  ]
}
