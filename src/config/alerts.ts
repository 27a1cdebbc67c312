import * as v from 'valibot'
import { ENDPOINT, VISIBLE } from './formats.ts'

const PREFIX = 'whsec_'
const FORMAT_ERROR = 'must be whsec_ and the base64 of 24 to 64 random bytes'
/** Length of a secret in bytes (Standard Webhooks specification, "Signature scheme"). */
const [MIN_BYTES, MAX_BYTES] = [24, 64]

function countBytes(base64: string) {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4)
}

/** A Standard Webhooks secret. The parsed value is the base64 after `whsec_`. */
const WEBHOOK_SECRET = v.pipe(
  VISIBLE,
  v.regex(/^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, FORMAT_ERROR),
  v.transform((text) => text.slice(PREFIX.length)),
  v.check((base64) => countBytes(base64) >= MIN_BYTES && countBytes(base64) <= MAX_BYTES, FORMAT_ERROR),
)

/** URL and secret of the alert webhook. `undefined`: alerts are not sent. */
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
