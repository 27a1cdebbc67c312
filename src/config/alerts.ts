import * as v from 'valibot'
import { endpoint, visible } from './formats.ts'

const PREFIX = 'whsec_'
const FORM = 'must be whsec_ and the base64 of 24 to 64 random bytes'
/** Lengths of the secret by the Standard Webhooks specification, in bytes. */
const [SHORTEST, LONGEST] = [24, 64]

function byteLength(base64: string) {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4)
}

/** A secret of the Standard Webhooks scheme; what comes out is the base64 alone. */
function webhookSecret() {
  return v.pipe(
    visible(),
    v.regex(/^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, FORM),
    v.transform((text) => text.slice(PREFIX.length)),
    v.check((base64) => byteLength(base64) >= SHORTEST && byteLength(base64) <= LONGEST, FORM),
  )
}

/** Where alerts go, signed. `undefined`: nowhere. */
export function alerts() {
  return v.pipe(
    v.object({ ALERT_WEBHOOK_URL: v.optional(endpoint()), ALERT_WEBHOOK_SECRET: v.optional(webhookSecret()) }),
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
}
