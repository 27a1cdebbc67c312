import * as v from 'valibot'
import { VISIBLE } from './formats.ts'

const HALF = 'goes with its client id: one of the two is missing'

/** The app's two key pairs together: one is enough, and neither may be half. */
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
    v.check((given) => !given.QUICKBOOKS_CLIENT_ID === !given.QUICKBOOKS_CLIENT_SECRET, HALF),
    ['QUICKBOOKS_CLIENT_SECRET'],
  ),
  v.forward(
    v.check((given) => !given.QUICKBOOKS_SANDBOX_CLIENT_ID === !given.QUICKBOOKS_SANDBOX_CLIENT_SECRET, HALF),
    ['QUICKBOOKS_SANDBOX_CLIENT_SECRET'],
  ),
)
