import { readUnits, writeUnits } from './item-size.ts'

/*
 * Public list prices in US dollars, us-east-1, read in November 2026:
 *   developers.cloudflare.com/workers/platform/pricing (Standard), aws.amazon.com/dynamodb/pricing/on-demand and
 *   aws.amazon.com/ec2/pricing/on-demand ("Data Transfer OUT", the first and most expensive step for all of it).
 * Free allowances are left out. They are worth a few dollars.
 */
const PRICES = {
  workersPerMillionRequests: 0.3,
  workersPerMillionCpuMs: 0.02,
  workersLogsPerMillionEvents: 0.6,
  readsPerMillion: 0.125,
  writesPerMillion: 0.625,
  storagePerGbMonth: 0.25,
  transferPerGb: 0.09,
}

const HOUR = 3600
const MONTH = 730 * HOUR
const GB = 1024 ** 3
const MILLION = 1e6

/** Bytes around an item in DynamoDB's response over TLS: headers, JSON notation, framing. Rounded up. */
const RESPONSE_OVERHEAD_BYTES = 1_000
/** The Worker refreshes a token in steady use twice the margin before it expires: after an hour less twice 300 s. */
const REFRESHED_EVERY = HOUR - 2 * 300
/** A refresh acquires the lease and stores the token pair. */
const WRITES_PER_REFRESH = 2

/** The load of a deployment. */
export interface Demand {
  connections: number
  requestsPerSecond: number
  /** The share of requests that the token caches answer, from 0 to 1. */
  hitShare: number
  itemBytes: number
  /** CPU time in ms of a read from DynamoDB and of one from the token cache. */
  cpuMs: { uncached: number; cached: number }
}

/** Dollars by line of the bill. */
export type Costs = Record<string, number>

/** The cost of a month. */
export const monthlyCost = (demand: Demand): Costs => {
  const requests = demand.requestsPerSecond * MONTH
  const reads = requests * (1 - demand.hitShare)
  const refreshes = (demand.connections / REFRESHED_EVERY) * MONTH
  const cpuMs = reads * demand.cpuMs.uncached + (requests - reads) * demand.cpuMs.cached
  const writes = refreshes * WRITES_PER_REFRESH * writeUnits(demand.itemBytes)
  return {
    'Workers: requests': (requests / MILLION) * PRICES.workersPerMillionRequests,
    'Workers: CPU time': (cpuMs / MILLION) * PRICES.workersPerMillionCpuMs,
    'DynamoDB: reads': ((reads * readUnits(demand.itemBytes)) / MILLION) * PRICES.readsPerMillion,
    'DynamoDB: writes of the refreshes': (writes / MILLION) * PRICES.writesPerMillion,
    'DynamoDB: storage': ((demand.connections * demand.itemBytes) / GB) * PRICES.storagePerGbMonth,
    'AWS: transfer out': ((reads * (demand.itemBytes + RESPONSE_OVERHEAD_BYTES)) / GB) * PRICES.transferPerGb,
    'Workers Logs, if every request is kept': (requests / MILLION) * PRICES.workersLogsPerMillionEvents,
  }
}
