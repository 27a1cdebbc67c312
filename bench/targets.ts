import { gzipBytes } from '../dev/bundle.ts'
import { nodeTraces } from './bundles.ts'
import type { CaseName } from './cases.ts'
import { LIMITS, RATIOS, ROUTES, type Route, type RouteLimit } from './limits.ts'
import type { Figures } from './rounds.ts'
import type { StartUp } from './start-up.ts'
import { ratio, type Spread } from './statistics.ts'

/** One line of the table of targets. */
export interface Target {
  what: string
  target: string
  measured: string
  met: boolean
}

export interface Measured {
  figures: Figures<CaseName>
  startUp: { loaded: StartUp }
  calls: Record<Route, RouteLimit>
  itemBytes: Record<'usual' | 'longest', number>
  script: string
  memory: { bytes: number; kept: number }
}

export const times = ({ median, low, high }: Spread) =>
  `${median.toFixed(2)} × (${low.toFixed(2)} – ${high.toFixed(2)})`

const atMost = (what: string, limit: number, measured: Spread): Target => ({
  what,
  target: `at most ${limit} ×`,
  measured: times(measured),
  met: measured.median <= limit,
})

const cpuTargets = ({ figures, startUp }: Measured): Target[] => {
  const uncached = figures('uncached')
  return [
    atMost('CPU time: uncached read, to the floor', RATIOS.uncachedToFloor, ratio(uncached, figures('floor'))),
    atMost('CPU time: cached read, to `/health`', RATIOS.cachedToHealth, ratio(figures('cached'), figures('health'))),
    atMost('CPU time: uncached read, to the SDK Worker', RATIOS.uncachedToSdk, ratio(uncached, figures('sdk'))),
    atMost('CPU time: uncached read, to the Node service', RATIOS.uncachedToNode, ratio(uncached, figures('node'))),
    atMost('CPU time: start-up of the isolate, to the floor’s', RATIOS.startUpToFloor, startUp.loaded.ratio),
  ]
}

const routeTargets = ({ calls }: Measured): Target[] =>
  ROUTES.map((route) => {
    const [limit, addToWindow] = [LIMITS.routes[route], calls[route]]
    const met = addToWindow.calls <= limit.calls && addToWindow.roundTrips <= limit.roundTrips
    return {
      what: `DynamoDB calls; round trips in a row: ${route}`,
      target: `at most ${limit.calls}; ${limit.roundTrips}`,
      measured: `${addToWindow.calls}; ${addToWindow.roundTrips}`,
      met,
    }
  })

const sizeTargets = ({ itemBytes, script }: Measured): Target[] => {
  const gzip = gzipBytes(script)
  const traces = nodeTraces(script)
  const size = (name: 'usual' | 'longest', what: string): Target => ({
    what: `Item with ${what}`,
    target: `under ${LIMITS.itemBytes[name]} bytes`,
    measured: `${itemBytes[name]} bytes`,
    met: itemBytes[name] < LIMITS.itemBytes[name],
  })
  return [
    {
      what: 'Bundle, minified and gzipped',
      target: `at most ${LIMITS.bundleGzipBytes} bytes, nothing of Node`,
      measured: `${gzip} bytes, ${traces.length === 0 ? 'nothing' : traces.join(', ')}`,
      met: gzip <= LIMITS.bundleGzipBytes && traces.length === 0,
    },
    size('usual', 'tokens of 1,100 and 41 characters'),
    size('longest', 'tokens of 4,096 and 512 characters'),
  ]
}

const memoryTarget = ({ memory: { bytes, kept } }: Measured): Target => ({
  what: 'Memory of the isolate at 10,000 cached connections',
  target: `at most ${LIMITS.memoryBytes} bytes of entries`,
  measured: `${bytes} bytes, ${kept} connections`,
  met: bytes <= LIMITS.memoryBytes,
})

/** The table of targets with what this run measured. */
export const targetsOf = (measured: Measured): Target[] => [
  ...cpuTargets(measured),
  ...routeTargets(measured),
  ...sizeTargets(measured),
  memoryTarget(measured),
]
