/** One request at the proxy. Times are in ms by the clock of this process. */
export interface SeenRequest<Body = unknown> {
  operation: string
  body: Body
  startedAt: number
  endedAt: number | undefined
  /** The status of the server's response. `undefined` before the response, or if the proxy did not forward the request. */
  status: number | undefined
  /** Whether the whole response reached the sender. */
  delivered: boolean
}

/** What the proxy does with a request. */
export type FaultEffect =
  | { kind: 'answer'; status: number; body: string }
  /** Closes the connection without forwarding. */
  | { kind: 'cut before' }
  /** Forwards, then closes the connection without a response. */
  | { kind: 'cut after' }
  /** Forwards, then closes the connection in the middle of the response. */
  | { kind: 'break' }
  /** Neither forwards nor responds. */
  | { kind: 'hang' }
  /** Forwards and never responds. */
  | { kind: 'hang after' }
  | { kind: 'delay'; ms: number }
  /** Forwards when `until` resolves, even if the sender has left by then. */
  | { kind: 'hold'; until: Promise<unknown> }
  /** Forwards, then responds when `until` resolves. */
  | { kind: 'hold after'; until: Promise<unknown> }

/** A fault: its effect, and the requests that it affects. */
export type Fault<Body = unknown> = FaultEffect & {
  /** Applies to this operation only. Default: all. */
  operation?: string
  /** Applies to matching requests only. Default: all. */
  when?: (request: SeenRequest<Body>) => boolean
  /** The number of requests that it affects. Default: no limit. */
  times?: number
}

/** A fault in the queue. */
export interface Ordered<Body = unknown> {
  /** The requests that it affected. */
  struck: SeenRequest<Body>[]
  /** Resolves with the first affected request. */
  strikes: Promise<SeenRequest<Body>>
  lift(): void
}

interface Order<Body> {
  fault: Fault<Body>
  left: number
  strike(seen: SeenRequest<Body>): void
}

/** A queue of faults, first in, first out. A request meets one fault at most. */
export const createFaultQueue = <Body>() => {
  type Seen = SeenRequest<Body>
  let orders: Order<Body>[] = []

  return {
    add: (fault: Fault<Body>): Ordered<Body> => {
      const struck: Seen[] = []
      const first = Promise.withResolvers<Seen>()
      const strike = (seen: Seen) => {
        struck.push(seen)
        first.resolve(seen)
      }
      const order = { fault, left: fault.times ?? Number.POSITIVE_INFINITY, strike }
      orders.push(order)
      const lift = () => {
        orders = orders.filter((one) => one !== order)
      }
      return { struck, strikes: first.promise, lift }
    },

    clear: () => {
      orders = []
    },

    take: (seen: Seen): Fault<Body> | undefined => {
      const order = orders.find(
        ({ fault }) => (fault.operation ?? seen.operation) === seen.operation && (fault.when?.(seen) ?? true),
      )
      if (!order) return undefined
      if (--order.left <= 0) orders = orders.filter((one) => one !== order)
      order.strike(seen)
      return order.fault
    },
  }
}
