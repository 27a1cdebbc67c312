import type { Load } from './load-order.ts'
import { plainRecord } from './records.ts'
import { measureInRounds } from './rounds.ts'
import { median, ratio, type Spread } from './statistics.ts'
import type { Item, Table } from './table.ts'
import type { Running } from './workerd.ts'

/** How many connections are in use. */
export const SIZES = [1, 10, 100, 1_000, 10_000]
const LARGEST = Math.max(...SIZES)
const ROUNDS = 13
const WARM_UP = 1_000
const CONCURRENCY = 8

const companyKey = (index: number) => `growth-${String(index).padStart(5, '0')}`

/** Numbers in [0, 1) that are the same in every run (Lehmer's generator, Park and Miller's constants). */
const sequence = () => {
  let state = 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const spreadOver = (size: number, requests: number) => {
  const next = sequence()
  return Array.from({ length: requests }, () => Math.floor(next() * size))
}

/** Nine of ten requests ask for the same connection. */
const hotOver = (size: number, requests: number) => {
  const next = sequence()
  return Array.from({ length: requests }, () => (next() < 0.9 ? 0 : Math.floor(next() * size)))
}

const NO_CACHE = { 'Cache-Control': 'no-cache' }
const SERIES = [
  { series: 'uncached', requests: 1_000, indexes: spreadOver, headers: NO_CACHE },
  { series: 'uncached, one hot key', requests: 1_000, indexes: hotOver, headers: NO_CACHE },
  // More of them: what the garbage collector does now and then is as long as hundreds of these.
  { series: 'cached', requests: 5_000, indexes: spreadOver, headers: {} },
]

export interface GrowthPoint {
  series: string
  size: number
  /** CPU time per request in µs. */
  median: number
  /** To the same series with one connection in use. */
  toOne: Spread
}

/** Records for the largest size, written by hand: connecting 10,000 companies takes longer than the whole bench may. */
export const writeGrowthRecords = async (table: Table, like: Item): Promise<void> =>
  table.putAll(
    Array.from({ length: LARGEST }, (_, index) => plainRecord(like, like['access_token']?.S ?? '', companyKey(index))),
  )

type SeriesOf = (typeof SERIES)[number]

const casesFor = ({ series, requests, indexes, headers }: SeriesOf, service: Running, apiKey: string) =>
  SIZES.map((size) => ({
    series,
    size,
    name: `${series} ${size}`,
    pid: service.pid,
    requests,
    order: {
      urls: indexes(size, requests).map((index) => `${service.url}/api/token/${companyKey(index)}`),
      headers: { ...headers, 'X-API-Key': apiKey },
      concurrency: CONCURRENCY,
      status: 200,
    },
  }))

/** Reads every connection once, so that the isolate's memory is as full as it gets. */
const fillMemory = (load: Load, service: Running, apiKey: string) =>
  load.send({
    urls: Array.from({ length: LARGEST }, (_, index) => `${service.url}/api/token/${companyKey(index)}`),
    headers: { 'X-API-Key': apiKey },
    requests: LARGEST,
    concurrency: CONCURRENCY,
    status: 200,
  })

/** CPU time of a token read while ever more connections are in use, each series in an isolate of its own. */
export const measureGrowth = async (
  load: Load,
  start: () => Promise<Running>,
  apiKey: string,
): Promise<GrowthPoint[]> => {
  const services = await Promise.all(SERIES.map(async (one) => ({ ...one, service: await start() })))
  for (const { service } of services) await fillMemory(load, service, apiKey)
  const cases = services.flatMap(({ service, ...one }) => casesFor(one, service, apiKey))
  const figures = await measureInRounds(load, cases, { rounds: ROUNDS, warmUp: WARM_UP })
  await Promise.all(services.map(({ service }) => service.close()))
  return cases.map(({ series, size, name }) => ({
    series,
    size,
    median: median(figures(name)),
    toOne: ratio(figures(name), figures(`${series} 1`)),
  }))
}
