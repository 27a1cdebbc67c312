import * as v from 'valibot'
import { startChild } from '../child.ts'

const GEOGRAPHY = v.object({
  rows: v.array(
    v.object({ place: v.string(), replicas: v.number(), cached: v.boolean(), latenciesMs: v.array(v.number()) }),
  ),
  /** Whether any read went to a replica at all. */
  nearReads: v.boolean(),
})

export type Geography = v.InferOutput<typeof GEOGRAPHY>
/** What one place saw. */
export type GeographyRow = Geography['rows'][number]

/** Runs the simulation in a process of its own, whose clock and network it takes over. */
export const simulateGeography = async (): Promise<Geography> => {
  const child = await startChild('./geography/simulation.ts')
  await child.close()
  return v.parse(GEOGRAPHY, child.first)
}
