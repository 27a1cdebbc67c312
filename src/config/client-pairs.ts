import * as v from 'valibot'
import { visible } from './formats.ts'

const HALF = 'goes with its client id: one of the two is missing'

/** The app's two key pairs together: one is enough, and neither may be half. */
export function clientCredentials() {
  return v.pipe(
    v.object({
      QUICKBOOKS_CLIENT_ID: v.optional(visible()),
      QUICKBOOKS_CLIENT_SECRET: v.optional(visible()),
      QUICKBOOKS_SANDBOX_CLIENT_ID: v.optional(visible()),
      QUICKBOOKS_SANDBOX_CLIENT_SECRET: v.optional(visible()),
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
}
