import type { CaseName } from './cases.ts'
import { limitsOnTheWay, monthlyCost } from './cost.ts'
import { markdownTable } from './document.ts'
import { PLACES, SET_UPS } from './geography/delays.ts'
import type { Geography } from './geography/geography.ts'
import { type GrowthPoint, SIZES } from './growth.ts'
import { readUnits, writeUnits } from './item-size.ts'
import type { Plot } from './plot.ts'
import type { Figures } from './rounds.ts'
import type { StartUp } from './start-up.ts'
import { median, percentile, ratio, spread } from './statistics.ts'
import { type Target, times } from './targets.ts'

export const targetTable = (targets: readonly Target[]): string =>
  markdownTable(
    ['what', 'target', 'measured', 'met'],
    targets.map(({ what, target, measured, met }) => [what, target, measured, met ? 'yes' : '**no**']),
  )

const PROGRAMS: [CaseName, string][] = [
  ['floor', 'Floor: Hono and aws4fetch, one read'],
  ['uncached', 'This service: uncached read'],
  ['cached', 'This service: cached read'],
  ['health', 'This service: `/health`'],
  ['start', 'This service: start'],
  ['sdk', 'Worker with the AWS SDK'],
  ['node', 'Node: Express, intuit-oauth, AWS SDK'],
]

const micros = (figures: readonly number[]) => {
  const { median, low, high } = spread(figures)
  return `${median.toFixed(0)} µs (${low.toFixed(0)} – ${high.toFixed(0)})`
}

export const programTable = (figures: Figures<CaseName>): string =>
  markdownTable(
    ['program', 'CPU time a request', 'to the floor'],
    PROGRAMS.map(([name, what]) => [what, micros(figures(name)), times(ratio(figures(name), figures('floor')))]),
  )

export const startUpTable = ({
  loaded,
  health,
  healthLogged,
  firstRead,
}: Record<'loaded' | 'health' | 'healthLogged' | 'firstRead', StartUp>): string =>
  markdownTable(
    ['CPU time of one isolate', 'floor', 'this service', 'ratio'],
    [
      ['load: the modules read, compiled and run', loaded] as const,
      ['load and `/health`', health] as const,
      ['load and `/health`, the floor with a log line, too', healthLogged] as const,
      ['load and the first token read', firstRead] as const,
    ].map(([what, { floor, service, ratio }]) => [
      what,
      `${floor.median.toFixed(1)} ms`,
      `${service.median.toFixed(1)} ms`,
      times(ratio),
    ]),
  )

export const capacityTable = (itemBytes: Record<'usual' | 'longest', number>): string =>
  markdownTable(
    ['tokens', 'item', 'a read', 'a write', 'a refresh: claim and store'],
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

const seriesOf = (points: readonly GrowthPoint[]) => [...new Set(points.map(({ series }) => series))]

export const growthTable = (points: readonly GrowthPoint[]): string =>
  markdownTable(
    ['CPU time a request, to the same with one connection', ...SIZES.map((size) => size.toLocaleString('en'))],
    seriesOf(points).map((series) => [
      series,
      ...points.filter((point) => point.series === series).map(({ toOne }) => times(toOne)),
    ]),
  )

export const growthPlot = (points: readonly GrowthPoint[]): Plot => ({
  title: 'CPU time of a token read while ever more connections are in use',
  xLabel: 'connections in use',
  yLabel: 'times the CPU time with one connection',
  reference: 1,
  curves: seriesOf(points).map((series) => ({
    name: series,
    points: points
      .filter((point) => point.series === series)
      .map(({ size, toOne }) => ({ x: size, y: toOne.median, low: toOne.low, high: toOne.high })),
  })),
})

const medianAndTail = (latencies: readonly number[]) =>
  `${median(latencies).toFixed(0)} / ${percentile(latencies, 99).toFixed(0)}`

/** Columns: ways to deploy, each with the isolate's memory off and on. */
export const geographyTable = ({ rows }: Geography): string => {
  const columns = SET_UPS.flatMap(({ name }) => [false, true].map((cached) => ({ name, cached })))
  const line = (of: typeof rows) =>
    columns.map(({ name, cached }) =>
      medianAndTail(
        of.filter((row) => row.setUp === name && row.cached === cached).flatMap(({ latenciesMs }) => latenciesMs),
      ),
    )
  return markdownTable(
    ['median / 99th percentile, ms', ...columns.map(({ name, cached }) => `${name}, ${cached ? '' : 'un'}cached`)],
    [
      ['**all places**', ...line(rows)],
      ...PLACES.map(({ name }) => [name, ...line(rows.filter(({ place }) => place === name))]),
    ],
  )
}

const dollars = (amount: number) => `$${Math.round(amount).toLocaleString('en')}`

/** A million connections and 10,000 requests a second, from DynamoDB alone and mostly from memory. */
export const costTables = (itemBytes: number, figures: Figures<CaseName>): string => {
  const cpuMs = { uncached: median(figures('uncached')) / 1000, cached: median(figures('cached')) / 1000 }
  const demand = { connections: 1_000_000, requestsPerSecond: 10_000, itemBytes, cpuMs }
  const [none, most] = [monthlyCost({ ...demand, hitShare: 0 }), monthlyCost({ ...demand, hitShare: 0.9 })]
  const lines = Object.entries(none.lines).map(([line, amount]) => {
    const cached = Object.entries(most.lines).find(([name]) => name === line)?.[1] ?? 0
    return [line, dollars(amount), dollars(cached)]
  })
  const cost = markdownTable(
    ['a month', 'every read from DynamoDB', 'nine of ten from memory'],
    [...lines, ['**all**', dollars(none.total), dollars(most.total)]],
  )
  const limits = markdownTable(
    ['limit', 'reached at', 'then'],
    limitsOnTheWay(itemBytes).map(({ limit, reachedAt, remedy }) => [limit, reachedAt, remedy]),
  )
  return `${cost}\n\n${limits}`
}
