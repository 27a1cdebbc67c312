import * as v from 'valibot'
import { startChild } from './child.ts'

/** What the load process is asked to send. */
export const LOAD_ORDER = v.object({
  /** Taken in turn, again from the first one after the last. */
  urls: v.pipe(v.array(v.string()), v.nonEmpty()),
  headers: v.record(v.string(), v.string()),
  requests: v.number(),
  concurrency: v.number(),
  /** What every answer must have. */
  status: v.number(),
})
export type LoadOrder = v.InferOutput<typeof LOAD_ORDER>

const DONE = v.variant('ok', [
  v.object({ ok: v.literal(true) }),
  v.object({ ok: v.literal(false), reason: v.string() }),
])

export interface Load {
  /** Resolves when all is answered. Rejects at the first answer that has another status. */
  send(order: LoadOrder): Promise<void>
  close(): Promise<void>
}

/** Starts the process that sends requests. */
export const startLoad = async (): Promise<Load> => {
  const child = await startChild('./load.ts')
  return {
    send: async (order) => {
      const done = v.parse(DONE, await child.ask(order))
      if (!done.ok) throw new Error(done.reason)
    },
    close: child.close,
  }
}
