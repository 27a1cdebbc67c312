/** The token bucket of the AWS SDKs' standard retry mode. */
const CAPACITY = 500
const RETRY_COST = 5
const TIMEOUT_RETRY_COST = 10
/** What a request adds that succeeds at once. */
const FIRST_SUCCESS = 1

export interface RetryBudget {
  /** Pays for one retry. Returns its cost, or `undefined` where too little is left. */
  take(afterTimeout: boolean): number | undefined
  /** Refunds the cost of the retry that succeeded; without one, adds a little. */
  succeed(cost: number | undefined): void
}

/**
 * Bounds the retries of one isolate on one table: while the table is down for good, requests fail at the first attempt
 * instead of making the load fourfold.
 */
export function retryBudget(): RetryBudget {
  let left = CAPACITY
  return {
    take(afterTimeout) {
      const cost = afterTimeout ? TIMEOUT_RETRY_COST : RETRY_COST
      if (left < cost) return undefined
      left -= cost
      return cost
    },
    succeed(cost = FIRST_SUCCESS) {
      left = Math.min(CAPACITY, left + cost)
    },
  }
}
