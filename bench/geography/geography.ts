import * as v from 'valibot'
import { startChild } from '../child.ts'

const GEOGRAPHY = v.object({
  rows: v.array(
    v.object({ place: v.string(), setUp: v.string(), cached: v.boolean(), latenciesMs: v.array(v.number()) }),
  ),
})

export type Geography = v.InferOutput<typeof GEOGRAPHY>
/** What one place saw, of one way to deploy. */
export type GeographyRow = Geography['rows'][number]

/** Runs the simulation in a process of its own, whose clock and network it takes over. */
export const simulateGeography = async (): Promise<Geography> => {
  const child = await startChild('./geography/simulation.ts')
  await child.close()
  return v.parse(GEOGRAPHY, child.first)
}
