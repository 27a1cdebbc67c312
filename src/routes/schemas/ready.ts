import * as v from 'valibot'

/** The answer of `GET /ready` with 200. */
export const READY = v.object({ status: v.literal('ready') })

export type ReadyBody = v.InferOutput<typeof READY>

/** The answer of `GET /ready` with 503. */
export const NOT_READY = v.object({
  status: v.literal('not_ready'),
  faults: v.optional(
    v.pipe(v.array(v.string()), v.description('What is wrong, by the names of variables: for holders of a key alone.')),
  ),
})

export type NotReadyBody = v.InferOutput<typeof NOT_READY>
