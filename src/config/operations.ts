import * as v from 'valibot'
import { TEXT, wholeNumber } from './formats.ts'

/** The fleet index, and the limits of one cron run. */
export const FLEET = v.pipe(
  v.object({
    DYNAMODB_FLEET_INDEX: v.optional(v.pipe(TEXT, v.regex(/^[\w.-]{3,255}$/, 'must be the name of an index'))),
    // A refresh token expires after 100 days. The last ten are for retries.
    KEEP_ALIVE_DAYS: wholeNumber(7, 0, 90),
    KEEP_ALIVE_REFRESHES: wholeNumber(60, 1, 1000),
    // The free plan of Workers allows 50 subrequests per invocation. The rest is for retries.
    CRON_CALLS: wholeNumber(40, 30, 9000),
  }),
  v.transform((given) => ({
    indexName: given.DYNAMODB_FLEET_INDEX,
    idleRefreshDays: given.KEEP_ALIVE_DAYS,
    refreshes: given.KEEP_ALIVE_REFRESHES,
    calls: given.CRON_CALLS,
  })),
)
