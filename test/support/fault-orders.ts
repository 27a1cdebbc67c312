/** One request that reached the proxy. Times in ms, of the one clock of this process. */
export interface SeenRequest<Body = unknown> {
  operation: string
  body: Body
  startedAt: number
  endedAt: number | undefined
  /** What the server behind answered; `undefined` while it has not, or was never asked. */
  status: number | undefined
  /** Whether that answer went out whole to somebody who was still there. */
  delivered: boolean
}

/** What happens to a request. */
export type FaultEffect =
  | { kind: 'answer'; status: number; body: string }
  /** Cut before the server hears of it. */
  | { kind: 'cut before' }
  /** Applied by the server, the answer lost. */
  | { kind: 'cut after' }
  /** Applied by the server, the connection cut in the middle of the answer. */
  | { kind: 'break' }
  /** Neither forwarded nor answered. */
  | { kind: 'hang' }
  /** Applied by the server, and never answered. */
  | { kind: 'hang after' }
  | { kind: 'delay'; ms: number }
  /** Forwarded once `until` resolves, whether or not the sender is still there, as what is on the wire arrives. */
  | { kind: 'hold'; until: Promise<unknown> }
  /** Applied by the server, and answered once `until` resolves. */
  | { kind: 'hold after'; until: Promise<unknown> }

export type Fault<Body = unknown> = FaultEffect & {
  /** Only this operation; any if absent. */
  operation?: string
  /** Only requests that this says yes to. */
  when?: (request: SeenRequest<Body>) => boolean
  /** How often; for ever if absent. */
  times?: number
}

/** A fault that was ordered. */
export interface Ordered<Body = unknown> {
  /** The requests that it struck. */
  struck: SeenRequest<Body>[]
  /** Resolves at the first strike. */
  strikes: Promise<SeenRequest<Body>>
  lift(): void
}

interface Order<Body> {
  fault: Fault<Body>
  left: number
  strike(seen: SeenRequest<Body>): void
}

/** Faults to come, first in, first out, one to a request. */
export const faultOrders = <Body>() => {
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
