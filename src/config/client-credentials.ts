import * as v from 'valibot'
import { VISIBLE } from './formats.ts'

const INCOMPLETE = 'goes with its client id: one of the two is missing'

/**
 * The production and sandbox client credentials. One is enough. An id without its secret is an error, and the reverse.
 */
export const CLIENT_CREDENTIALS = v.pipe(
  v.object({
    QUICKBOOKS_CLIENT_ID: v.optional(VISIBLE),
    QUICKBOOKS_CLIENT_SECRET: v.optional(VISIBLE),
    QUICKBOOKS_SANDBOX_CLIENT_ID: v.optional(VISIBLE),
    QUICKBOOKS_SANDBOX_CLIENT_SECRET: v.optional(VISIBLE),
  }),
  v.forward(
    v.check(
      (given) => Boolean(given.QUICKBOOKS_CLIENT_ID ?? given.QUICKBOOKS_SANDBOX_CLIENT_ID),
      'is missing, and so is QUICKBOOKS_SANDBOX_CLIENT_ID',
    ),
    ['QUICKBOOKS_CLIENT_ID'],
  ),
  v.forward(
    v.check((given) => !given.QUICKBOOKS_CLIENT_ID === !given.QUICKBOOKS_CLIENT_SECRET, INCOMPLETE),
    ['QUICKBOOKS_CLIENT_SECRET'],
  ),
  v.forward(
    v.check((given) => !given.QUICKBOOKS_SANDBOX_CLIENT_ID === !given.QUICKBOOKS_SANDBOX_CLIENT_SECRET, INCOMPLETE),
    ['QUICKBOOKS_SANDBOX_CLIENT_SECRET'],
  ),
)
