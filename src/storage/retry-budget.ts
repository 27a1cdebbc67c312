/** The token bucket of the standard retry mode in the AWS SDKs. */
const CAPACITY = 500
const RETRY_COST = 5
const TIMEOUT_RETRY_COST = 10
/** A request that succeeds without a retry adds this. */
const FIRST_SUCCESS = 1

/** A token bucket for retries. */
export interface RetryBudget {
  /** Takes the cost of one retry. Returns the cost, or `undefined` if the bucket has too little. */
  take(afterTimeout: boolean): number | undefined
  /** Refunds the cost of a retry that succeeded. Without a cost, adds a little. */
  succeed(cost: number | undefined): void
}

/**
 * Limits the retries of one isolate for one table. During an outage, requests fail at the first attempt instead of causing
 * four times the load.
 */
export function createRetryBudget(): RetryBudget {
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
