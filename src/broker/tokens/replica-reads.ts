import type { Connection } from '../connection.ts'
import type { Runtime, WaitUntil } from '../ports/runtime.ts'
import type { CallerLocation, Replicas } from '../ports/storage.ts'
import { createSingleFlight } from '../single-flight.ts'
import type { Timing } from '../timing.ts'
import { createGenerationWatermark } from './generation-watermark.ts'

export interface ReplicaReadDeps {
  replicas: Replicas
  runtime: Pick<Runtime, 'now' | 'sleep'>
  timing(): Timing
}

/** Reads replicas. Concurrent requests share a read, and no result is older than what this isolate has seen. */
export function createReplicaReads({ replicas, runtime, timing }: ReplicaReadDeps) {
  const reads = createSingleFlight<Connection | undefined>({ runtime, timing })
  const seen = createGenerationWatermark(runtime.now)

  return {
    /** Call it with each generation that is returned, erased or replaced. */
    addGeneration: seen.add,

    /** `undefined`: no replica has a usable result. */
    read: async (companyKey: string, from: CallerLocation, waitUntil: WaitUntil): Promise<Connection | undefined> => {
      const begin = () => reads.begin(companyKey, 0, waitUntil, () => replicas.read(companyKey, from))
      const found = await (reads.join(companyKey, 0) ?? begin())
      // Checked after the read: a refresh may have ended before it.
      return found && !seen.isNewerThan(companyKey, found.generation) ? found : undefined
    },
  }
}

export type ReplicaReads = ReturnType<typeof createReplicaReads>
