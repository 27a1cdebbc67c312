import * as v from 'valibot'

/** Response body of `GET /ready` with status 200. */
export const READY = v.object({ status: v.literal('ready') })

export type ReadyBody = v.InferOutput<typeof READY>

/** Response body of `GET /ready` with status 503. */
export const NOT_READY = v.object({
  status: v.literal('not_ready'),
  faults: v.optional(
    v.pipe(
      v.array(v.string()),
      v.description('What is wrong, with the names of the variables. Only sent with a valid API key.'),
    ),
  ),
})

export type NotReadyBody = v.InferOutput<typeof NOT_READY>
