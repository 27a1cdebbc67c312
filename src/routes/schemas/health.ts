import * as v from 'valibot'

/** Response body of `GET /health`. */
export const HEALTH = v.object({ status: v.literal('ok') })

export type HealthBody = v.InferOutput<typeof HEALTH>
