import type { SeenRequest } from '../test/support/fault-orders.ts'
import type { Service } from '../test/support/worker-harness.ts'
import type { Route, RouteLimit } from './limits.ts'

/** Long enough for calls that a Worker sends together to overlap. Milliseconds. */
const DELAY_MS = 100

/** Counts round trips: the largest number of requests that follow one another without overlap. */
const countRoundTrips = (requests: readonly SeenRequest[]): number => {
  const byEnd = requests.map(({ startedAt, endedAt = Infinity }) => ({ startedAt, endedAt }))
  byEnd.sort((a, b) => a.endedAt - b.endedAt)
  let count = 0
  let freeAt = -Infinity
  for (const { startedAt, endedAt } of byEnd) {
    if (startedAt < freeAt) continue
    count++
    freeAt = endedAt
  }
  return count
}

/** Every call to Intuit waits for the table and makes a round trip of its own. */
const countIntuitCalls = async ({ intuit }: Service) => {
  const { exchange, refresh, revoke } = (await intuit.state()).counts
  return exchange + refresh + revoke
}

const countCalls = async (service: Service, request: () => Promise<Response>): Promise<RouteLimit> => {
  const seen = service.dynamo.requests.length
  const before = await countIntuitCalls(service)
  const response = await request()
  if (response.status >= 400) throw new Error(`${new URL(response.url).pathname} responded with ${response.status}.`)
  const requests = service.dynamo.requests.slice(seen)
  return {
    calls: requests.length,
    roundTrips: countRoundTrips(requests) + (await countIntuitCalls(service)) - before,
  }
}

/** Counts the calls of each route to DynamoDB and Intuit, at the proxies in front of them. */
export const countRouteCalls = async (service: Service): Promise<Record<Route, RouteLimit>> => {
  const read = () => service.api('/api/token/counted')
  service.dynamo.fault({ kind: 'delay', ms: DELAY_MS })
  const start = await countCalls(service, () => service.fetch('/oauth/start/counted'))
  const path = await service.consented('counted')
  const callback = await countCalls(service, () => service.fetch(path))
  const uncached = await countCalls(service, () =>
    service.api('/api/token/counted', { headers: { 'Cache-Control': 'no-cache' } }),
  )
  await read()
  const cached = await countCalls(service, read)
  const refresh = await countCalls(service, () => service.api('/api/token/counted/refresh', { method: 'POST' }))
  service.dynamo.heal()
  return { cached, uncached, start, callback, refresh }
}
