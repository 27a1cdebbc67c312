import type { SeenRequest } from '../test/support/fault-orders.ts'
import type { Service } from '../test/support/worker-harness.ts'
import type { Route, RouteLimit } from './limits.ts'

/** Long enough that what a Worker sends at once is under way together. Milliseconds. */
const DELAY_MS = 100

/** How many of the requests had to wait for one another: the most that follow each other without overlap. */
const oneAfterTheOther = (requests: readonly SeenRequest[]): number => {
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

/** Intuit is asked once the table has answered, and its answer waited for. */
const intuitCalls = async ({ intuit }: Service) => {
  const { exchange, refresh, revoke } = (await intuit.state()).counts
  return exchange + refresh + revoke
}

const count = async (service: Service, request: () => Promise<Response>): Promise<RouteLimit> => {
  const seen = service.dynamo.requests.length
  const before = await intuitCalls(service)
  const answer = await request()
  if (answer.status >= 400) throw new Error(`${new URL(answer.url).pathname} answered ${answer.status}.`)
  const requests = service.dynamo.requests.slice(seen)
  return {
    calls: requests.length,
    roundTrips: oneAfterTheOther(requests) + (await intuitCalls(service)) - before,
  }
}

/** What each route asks of DynamoDB and Intuit, counted at a proxy before the engine. */
export const callsOfRoutes = async (service: Service): Promise<Record<Route, RouteLimit>> => {
  const read = () => service.api('/api/token/counted')
  service.dynamo.fault({ kind: 'delay', ms: DELAY_MS })
  const start = await count(service, () => service.fetch('/oauth/start/counted'))
  const path = await service.consented('counted')
  const callback = await count(service, () => service.fetch(path))
  const uncached = await count(service, () =>
    service.api('/api/token/counted', { headers: { 'Cache-Control': 'no-cache' } }),
  )
  await read()
  const cached = await count(service, read)
  const refresh = await count(service, () => service.api('/api/token/counted/refresh', { method: 'POST' }))
  service.dynamo.heal()
  return { cached, uncached, start, callback, refresh }
}
