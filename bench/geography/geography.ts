import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import * as v from 'valibot'

const ROWS = v.array(
  v.object({ place: v.string(), deployment: v.string(), isCached: v.boolean(), latenciesMs: v.array(v.number()) }),
)

/** The latencies of one place in one deployment, in ms. */
export type GeographyRow = v.InferOutput<typeof ROWS>[number]

/** Runs the simulation in a thread, because it replaces the clock and `fetch` of its global scope. Drops its log lines. */
export const simulateGeography = async (): Promise<GeographyRow[]> => {
  const thread = new Worker(new URL('./simulation.ts', import.meta.url), { stdout: true, stderr: true })
  const [rows] = await once(thread, 'message')
  await thread.terminate()
  return v.parse(ROWS, rows)
}
