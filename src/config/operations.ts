import * as v from 'valibot'
import { TEXT, wholeNumber } from './formats.ts'

/** The index of connections, and how much the cron may do at a time. */
export const FLEET = v.pipe(
  v.object({
    DYNAMODB_FLEET_INDEX: v.optional(v.pipe(TEXT, v.regex(/^[\w.-]{3,255}$/, 'must be the name of an index'))),
    // Beyond 90 days there would be no time left to mend what fails.
    KEEP_ALIVE_DAYS: wholeNumber(7, 0, 90),
    KEEP_ALIVE_REFRESHES: wholeNumber(60, 1, 1000),
    // Workers may send 50 requests in one run on the free plan: the rest is for what has to be repeated.
    CRON_CALLS: wholeNumber(40, 30, 9000),
  }),
  v.transform((given) => ({
    indexName: given.DYNAMODB_FLEET_INDEX,
    idleRefreshDays: given.KEEP_ALIVE_DAYS,
    refreshes: given.KEEP_ALIVE_REFRESHES,
    calls: given.CRON_CALLS,
  })),
)
