import * as v from 'valibot'
import { STATUSES } from '../../broker/connection-status.ts'
import { epochSeconds } from './common.ts'
import { CONNECTION } from './connection.ts'
import { ERROR, generation, hardExpiresAt, status } from './status.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

const LISTED = v.object({
  ...CONNECTION.entries,
  status,
  generation,
  refresh_token_hard_expires_at: hardExpiresAt,
  last_error: v.optional(ERROR),
})

/** Response body of `GET /api/connections` with an index. The connection that expires first comes first. */
export const LISTING = v.object({
  connections: v.array(LISTED),
  cursor: v.pipe(v.nullable(v.string()), v.description('Pass it to get the next page. Null on the last page.')),
})

export type ListingBody = v.InferOutput<typeof LISTING>
export type ListedBody = v.InferOutput<typeof LISTED>

/** Response body of `GET /api/connections/summary`. */
export const SUMMARY = v.object({
  counts: v.pipe(v.object(v.entriesFromList(STATUSES, count)), v.description('Number of connections by status.')),
  total: count,
  counted_at: epochSeconds('When the cron job counted the connections.'),
})

export type SummaryBody = v.InferOutput<typeof SUMMARY>
