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

/** Reads of replicas, shared by callers who ask together, that never fall behind what this isolate has seen. */
export function createReplicaReads({ replicas, runtime, timing }: ReplicaReadDeps) {
  const reads = createSingleFlight<Connection | undefined>({ runtime, timing })
  const seen = createGenerationWatermark(runtime.now)

  return {
    /** To be told of each generation that is handed out, erased or replaced. */
    note: seen.note,

    /** `undefined`: no replica can tell. */
    read: async (companyKey: string, from: CallerLocation, waitUntil: WaitUntil): Promise<Connection | undefined> => {
      const begin = () => reads.begin(companyKey, 0, waitUntil, () => replicas.read(companyKey, from))
      const found = await (reads.join(companyKey, 0) ?? begin())
      // Asked when the read has ended: a refresh may have ended before it.
      return found && !seen.isNewerThan(companyKey, found.generation) ? found : undefined
    },
  }
}

export type ReplicaReads = ReturnType<typeof createReplicaReads>
