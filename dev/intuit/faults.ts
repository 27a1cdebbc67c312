import * as v from 'valibot'

const ms = v.pipe(v.number(), v.minValue(0))

/** A fault in one response of Intuit. */
export const FAULT = v.variant('kind', [
  v.object({
    kind: v.literal('status'),
    status: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
    body: v.optional(v.string(), ''),
    contentType: v.optional(v.string(), 'text/html'),
    headers: v.optional(v.record(v.string(), v.string()), {}),
  }),
  /** Responds `invalid_grant` without checking the token, as in an outage. */
  v.object({ kind: v.literal('invalid_grant_outage') }),
  /** Closes the socket before the request is processed. */
  v.object({ kind: v.literal('reset_before') }),
  /** Processes the request, then closes the socket without a response. */
  v.object({ kind: v.literal('reset_after') }),
  v.object({ kind: v.literal('hang') }),
  v.object({ kind: v.literal('delay'), ms }),
  /** Sets members of a successful response to other values, or omits them. */
  v.object({
    kind: v.literal('reshape'),
    set: v.optional(v.record(v.string(), v.unknown()), {}),
    omit: v.optional(v.array(v.string()), []),
  }),
  /** A body of that many bytes that is not JSON. */
  v.object({ kind: v.literal('huge'), bytes: ms }),
])

/** A fault for the next `times` requests to an endpoint. */
export const FAULT_ORDER = v.object({
  endpoint: v.picklist(['token', 'revoke']),
  times: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1),
  fault: FAULT,
})

export type Fault = v.InferOutput<typeof FAULT>
export type FaultOrder = v.InferOutput<typeof FAULT_ORDER>

/** Queues faults, first in, first out for each endpoint. */
export const createFaultQueue = () => {
  let orders: FaultOrder[] = []
  return {
    add: (order: FaultOrder) => {
      orders.push({ ...order })
    },
    clear: () => {
      orders = []
    },
    take: (endpoint: FaultOrder['endpoint']): Fault | undefined => {
      const order = orders.find((one) => one.endpoint === endpoint)
      if (order && --order.times <= 0) orders = orders.filter((one) => one !== order)
      return order?.fault
    },
  }
}

export type FaultQueue = ReturnType<typeof createFaultQueue>
