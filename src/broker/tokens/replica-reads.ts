import type { Connection } from '../connection.ts'
import type { Replicas, Runtime, WaitUntil, Whereabouts } from '../ports.ts'
import { createSingleFlight } from '../single-flight.ts'
import type { Timing } from '../timing.ts'
import { newestSeen } from './generation-watermark.ts'

export interface NearPorts {
  replicas: Replicas
  runtime: Pick<Runtime, 'now' | 'sleep'>
  timing(): Timing
}

/** Reads of replicas, shared by callers who ask together, that never fall behind what this isolate has seen. */
export function nearReads({ replicas, runtime, timing }: NearPorts) {
  const reads = createSingleFlight<Connection | undefined>({ runtime, timing })
  const seen = newestSeen(runtime.now)

  return {
    /** To be told of each generation that is handed out, erased or replaced. */
    note: seen.note,

    /** `undefined`: no replica can tell. */
    read: async (companyKey: string, from: Whereabouts, waitUntil: WaitUntil): Promise<Connection | undefined> => {
      const begin = () => reads.begin(companyKey, 0, waitUntil, () => replicas.read(companyKey, from))
      const found = await (reads.join(companyKey, 0) ?? begin())
      // Asked when the read has ended: a refresh may have ended before it.
      return found && !seen.isNewerThan(companyKey, found.generation) ? found : undefined
    },
  }
}

export type NearReads = ReturnType<typeof nearReads>
