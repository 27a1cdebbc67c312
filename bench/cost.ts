import { readUnits, writeUnits } from './item-size.ts'

/*
 * Public list prices in US dollars, us-east-1, read in November 2026:
 *   developers.cloudflare.com/workers/platform/pricing (Standard), aws.amazon.com/dynamodb/pricing/on-demand and
 *   aws.amazon.com/ec2/pricing/on-demand ("Data Transfer OUT", the first and dearest step for all of it).
 * What the plans include for free is left out: it is a few dollars.
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

/** Bytes around an item in DynamoDB's answer over TLS: headers, JSON notation, framing. Rounded up. */
const ANSWER_OVERHEAD_BYTES = 1_000
/** A token that is always in use is renewed in the band before the margin: an hour less twice 300 s. */
const REFRESHED_EVERY = HOUR - 2 * 300
/** The claim and the store of the pair. */
const WRITES_A_REFRESH = 2

export interface Demand {
  connections: number
  requestsPerSecond: number
  /** How many of the requests the isolates answer from memory, 0 to 1. */
  hitShare: number
  itemBytes: number
  /** CPU time of a read from DynamoDB and of one from memory, in ms. */
  cpuMs: { uncached: number; cached: number }
}

/** What a month costs, line by line, in dollars. */
export const monthlyCost = (demand: Demand) => {
  const requests = demand.requestsPerSecond * MONTH
  const reads = requests * (1 - demand.hitShare)
  const refreshes = (demand.connections / REFRESHED_EVERY) * MONTH
  const cpuMs = reads * demand.cpuMs.uncached + (requests - reads) * demand.cpuMs.cached
  const writes = refreshes * WRITES_A_REFRESH * writeUnits(demand.itemBytes)
  const lines = {
    'Workers: requests': (requests / MILLION) * PRICES.workersPerMillionRequests,
    'Workers: CPU time': (cpuMs / MILLION) * PRICES.workersPerMillionCpuMs,
    'DynamoDB: reads': ((reads * readUnits(demand.itemBytes)) / MILLION) * PRICES.readsPerMillion,
    'DynamoDB: writes of the refreshes': (writes / MILLION) * PRICES.writesPerMillion,
    'DynamoDB: storage': ((demand.connections * demand.itemBytes) / GB) * PRICES.storagePerGbMonth,
    'AWS: transfer out': ((reads * (demand.itemBytes + ANSWER_OVERHEAD_BYTES)) / GB) * PRICES.transferPerGb,
    'Workers Logs, if every request is kept': (requests / MILLION) * PRICES.workersLogsPerMillionEvents,
  }
  return { lines, total: Object.values(lines).reduce((sum, dollars) => sum + dollars, 0) }
}

/** Amazon's limits (developer guide, "Quotas" and "On-demand capacity mode"), in request units a second. */
const UNITS = {
  partitionReads: 3_000,
  partitionWrites: 1_000,
  newTableReads: 12_000,
  newTableWrites: 4_000,
  tableReads: 40_000,
}

/** What each limit allows, and what to change when it is reached; the first to be met comes first. */
export const limitsOnTheWay = (itemBytes: number) => {
  const perRead = readUnits(itemBytes)
  const perRefresh = WRITES_A_REFRESH * writeUnits(itemBytes)
  return [
    {
      limit: 'One connection: a partition gives 3,000 read units a second',
      reachedAt: `${Math.floor(UNITS.partitionReads / perRead)} uncached reads a second of one key`,
      remedy: 'Leave its callers to the isolates’ memory: no `no-cache`, a longer `TOKEN_CACHE_SECONDS`.',
    },
    {
      limit: 'A new on-demand table gives 12,000 read units a second at once',
      reachedAt: `${Math.floor(UNITS.newTableReads / perRead)} uncached reads a second`,
      remedy:
        'Set the table’s warm throughput before the day, or let traffic grow over half an hour; it doubles by itself.',
    },
    {
      limit: 'A new on-demand table gives 4,000 write units a second at once',
      reachedAt: `${Math.floor(UNITS.newTableWrites / perRefresh)} refreshes a second, ${Math.floor((UNITS.newTableWrites / perRefresh) * REFRESHED_EVERY).toLocaleString('en')} connections in constant use`,
      remedy:
        'The same. Tokens in use are renewed as they were born, so a thundering herd stays one: spread the first reads.',
    },
    {
      limit: 'A table’s default quota is 40,000 read units a second',
      reachedAt: `${Math.floor(UNITS.tableReads / perRead)} uncached reads a second`,
      remedy: 'Ask Amazon for more, or add replica regions: each has a quota of its own.',
    },
    {
      limit: 'Workers have no limit of requests on the paid plan; an isolate has 128 MB',
      reachedAt: 'not by this service: its memory is bounded by bytes',
      remedy: 'Nothing.',
    },
  ]
}
