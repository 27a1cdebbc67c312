import * as v from 'valibot'
import { ENDPOINT, VISIBLE } from './formats.ts'

const PREFIX = 'whsec_'
const FORM = 'must be whsec_ and the base64 of 24 to 64 random bytes'
/** Lengths of the secret by the Standard Webhooks specification, in bytes. */
const [SHORTEST, LONGEST] = [24, 64]

function byteLength(base64: string) {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4)
}

/** A secret of the Standard Webhooks scheme; what comes out is the base64 alone. */
const WEBHOOK_SECRET = v.pipe(
  VISIBLE,
  v.regex(/^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, FORM),
  v.transform((text) => text.slice(PREFIX.length)),
  v.check((base64) => byteLength(base64) >= SHORTEST && byteLength(base64) <= LONGEST, FORM),
)

/** Where alerts go, signed. `undefined`: nowhere. */
export const ALERTS = v.pipe(
  v.object({ ALERT_WEBHOOK_URL: v.optional(ENDPOINT), ALERT_WEBHOOK_SECRET: v.optional(WEBHOOK_SECRET) }),
  v.forward(
    v.check(
      (given) => !given.ALERT_WEBHOOK_URL || Boolean(given.ALERT_WEBHOOK_SECRET),
      'is missing: alerts are signed',
    ),
    ['ALERT_WEBHOOK_SECRET'],
  ),
  v.transform(({ ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret }) =>
    url && secret ? { url, secret } : undefined,
  ),
)
