import type { Figures } from './alternate.ts'
import { type Costs, monthlyCost } from './cost.ts'
import { markdownTable } from './document.ts'
import { DEPLOYMENTS, PLACES } from './geography/delays.ts'
import type { GeographyRow } from './geography/geography.ts'
import { readUnits, writeUnits } from './item-size.ts'
import type { StartUp } from './start-up.ts'
import { median, percentile, type Spread, toRatio, toSpread } from './statistics.ts'
import { formatTimes, type Measured, RATIO_NAMES, type Target, toCpuRatios } from './targets.ts'

export const createTargetTable = (targets: readonly Target[]): string =>
  markdownTable(
    ['what', 'target', 'measured', 'met'],
    targets.map(({ what, target, measured, isMet }) => [what, target, measured, isMet ? 'yes' : '**no**']),
  )

const PROGRAMS: [name: string, what: string][] = [
  ['floor', 'Floor: Hono and aws4fetch, one read'],
  ['uncached', 'This service: uncached read'],
  ['cached', 'This service: cached read'],
  ['health', 'This service: `/health`'],
  ['start', 'This service: start'],
  ['sdk', 'Worker with the AWS SDK'],
]

const formatMicros = (figures: readonly number[]) => {
  const { median, low, high } = toSpread(figures)
  return `${median.toFixed(0)} µs (${low.toFixed(0)} – ${high.toFixed(0)})`
}

export const createProgramTable = (figures: Figures): string =>
  markdownTable(
    ['program', 'CPU time of a request', 'to the floor'],
    PROGRAMS.map(([name, what]) => {
      const own = figures(name)
      return [what, formatMicros(own), formatTimes(toRatio(own, figures('floor')))]
    }),
  )

const toStartUpRow = (startUp: Record<string, StartUp>, part: keyof StartUp, what: string) => {
  const [service, floor, sdk] = ['service', 'floor', 'sdk'].map((name) => startUp[name]?.[part] ?? [])
  const milliseconds = [floor, service, sdk].map((figures) => `${median(figures ?? []).toFixed(1)} ms`)
  return [
    ...[what, ...milliseconds],
    ...[formatTimes(toRatio(service ?? [], floor ?? [])), formatTimes(toRatio(service ?? [], sdk ?? []))],
  ]
}

export const createStartUpTable = (startUp: Record<string, StartUp>): string =>
  markdownTable(
    ['CPU time of one isolate', 'floor', 'this service', 'SDK Worker', 'to the floor', 'to the SDK Worker'],
    [
      toStartUpRow(startUp, 'load', 'start-up: load, compile and run the modules'),
      toStartUpRow(startUp, 'firstToken', 'start-up and the first token'),
    ],
  )

const formatRange = ({ min, median, max }: Spread) => `${median.toFixed(2)} × (${min.toFixed(2)} – ${max.toFixed(2)})`

/** The same ratios for the Worker of another checkout and for this one, with minimum and maximum, and one to the other. */
export const createComparisonTable = (measured: Pick<Measured, 'figures' | 'startUp'>): string => {
  const { figures, startUp } = measured
  const [before, now] = [toCpuRatios(measured, 'before: '), toCpuRatios(measured)]
  const direct: [string, Spread][] = [
    ...['uncached', 'cached', 'health'].map((name): [string, Spread] => [
      `CPU time: ${name}, now to before`,
      toRatio(figures(name), figures(`before: ${name}`)),
    ]),
    ...(['load', 'firstToken'] as const).map((part): [string, Spread] => [
      `CPU time: ${part === 'load' ? 'start-up' : 'start-up and first token'}, now to before`,
      toRatio(startUp['service']?.[part] ?? [], startUp['before']?.[part] ?? []),
    ]),
  ]
  return markdownTable(
    ['median (min – max)', 'before', 'now'],
    [
      ...(['uncachedToFloor', 'cachedToHealth', 'uncachedToSdk', 'firstTokenToSdk'] as const).map((name) => [
        ...[RATIO_NAMES[name], formatRange(before[name]), formatRange(now[name])],
      ]),
      ...direct.map(([what, ratio]) => [what, '1', formatRange(ratio)]),
    ],
  )
}

export const createCapacityTable = (itemBytes: Record<'usual' | 'longest', number>): string =>
  markdownTable(
    ['tokens', 'item', 'a read', 'a write', 'a refresh: acquire the lease and store'],
    [
      ['1,100 and 41 characters', itemBytes.usual] as const,
      ['4,096 and 512 characters', itemBytes.longest] as const,
    ].map(([tokens, bytes]) => [
      tokens,
      `${bytes} bytes`,
      `${readUnits(bytes)} read units`,
      `${writeUnits(bytes)} write units`,
      `${2 * writeUnits(bytes)} write units`,
    ]),
  )

/** Columns: deployments, each without and with the token cache. */
export const createGeographyTable = (rows: readonly GeographyRow[]): string => {
  const columns = DEPLOYMENTS.flatMap(({ name }) => [false, true].map((isCached) => ({ name, isCached })))
  const toCells = (selected: readonly GeographyRow[]) =>
    columns.map(({ name, isCached }) => {
      const ofColumn = selected.filter((row) => row.deployment === name && row.isCached === isCached)
      const latencies = ofColumn.flatMap(({ latenciesMs }) => latenciesMs)
      return `${median(latencies).toFixed(0)} / ${percentile(latencies, 99).toFixed(0)}`
    })
  return markdownTable(
    ['median / 99th percentile, ms', ...columns.map(({ name, isCached }) => `${name}, ${isCached ? '' : 'un'}cached`)],
    [
      ['**all places**', ...toCells(rows)],
      ...PLACES.map(({ name }) => [name, ...toCells(rows.filter(({ place }) => place === name))]),
    ],
  )
}

const formatDollars = (amount: number) => `$${Math.round(amount).toLocaleString('en')}`

/** The month of a million connections and 10,000 requests per second, without and with the token cache. */
export const createCostTable = (itemBytes: number, figures: Figures): string => {
  const cpuMs = { uncached: median(figures('uncached')) / 1000, cached: median(figures('cached')) / 1000 }
  const demand = { connections: 1_000_000, requestsPerSecond: 10_000, itemBytes, cpuMs }
  const [none, most] = [monthlyCost({ ...demand, hitShare: 0 }), monthlyCost({ ...demand, hitShare: 0.9 })]
  const sum = (costs: Costs) => formatDollars(Object.values(costs).reduce((total, dollars) => total + dollars, 0))
  return markdownTable(
    ['a month', 'every read from DynamoDB', 'nine of ten from the token cache'],
    [
      ...Object.entries(none).map(([line, dollars]) => [line, formatDollars(dollars), formatDollars(most[line] ?? 0)]),
      ['**all**', sum(none), sum(most)],
    ],
  )
}
