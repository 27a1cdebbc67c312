import type { EpochMs } from '../broker/connection.ts'
import { createList, type ListPage, type ListRequest } from './list.ts'
import type { CronStateStore, FleetIndex, FleetSummary } from './ports.ts'

export interface FleetDeps {
  index: FleetIndex
  rounds: CronStateStore
  /** Whether there is an index at all. */
  isConfigured(): boolean
  now(): EpochMs
}

/** All connections of a deployment, seen together. */
export function createFleet({ index, rounds, isConfigured, now }: FleetDeps) {
  const list = createList(index)
  return {
    isConfigured,
    /** How many places a list has. */
    shards: index.shards.length,
    list: (request: ListRequest): Promise<ListPage> => list(request, Math.floor(now() / 1000)),
    /** As the last whole round of the cron found them. `undefined`: there was none yet. */
    summary: async (): Promise<FleetSummary | undefined> => (await rounds.load())?.summary,
  }
}

export type Fleet = ReturnType<typeof createFleet>
