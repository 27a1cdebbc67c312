import type { EpochMs } from '../broker/connection.ts'
import { nowSeconds } from '../broker/timing.ts'
import { createList, type ListPage, type ListRequest } from './list.ts'
import type { CronStateStore, FleetIndex, FleetSummary } from './ports.ts'

/** What the fleet routes need. */
export interface FleetDeps {
  index: FleetIndex
  cronStateStore: CronStateStore
  /** Whether the deployment has an index. */
  isConfigured(): boolean
  now(): EpochMs
}

/** Creates the queries over all connections. They can throw `storage_unavailable`. */
export function createFleet({ index, cronStateStore, isConfigured, now }: FleetDeps) {
  const list = createList(index)
  return {
    isConfigured,
    /** Number of places in a list cursor. */
    shards: index.shards.length,
    /** A page of connections, soonest to expire first. */
    list: (request: ListRequest): Promise<ListPage> => list(request, nowSeconds({ now })),
    /** The counts of the last complete scan. `undefined`: no scan is complete yet. */
    summary: async (): Promise<FleetSummary | undefined> => (await cronStateStore.load())?.summary,
  }
}

export type Fleet = ReturnType<typeof createFleet>
