import { Webhook } from 'standardwebhooks'
import { toSeconds } from '../broker/timing.ts'
import type { Alert, SendAlert } from '../fleet/ports.ts'

const TIMEOUT_MS = 10_000

/** The receiver of alerts. */
export interface WebhookSettings {
  url: string
  /** The base64 after `whsec_`. */
  secret: string
}

interface WebhookDeps {
  fetch: typeof fetch
  /** Milliseconds since the Unix epoch. */
  now(): number
}

function toBody({ type, at, data }: Alert) {
  return JSON.stringify({ type, timestamp: new Date(at * 1000).toISOString(), data })
}

/**
 * Sends alerts as Standard Webhooks. Resolves to whether the response was 2xx. Redirects are not followed. Never
 * throws.
 */
export function createWebhook({ url, secret }: WebhookSettings, { fetch, now }: WebhookDeps): SendAlert {
  const webhook = new Webhook(secret)
  return async (alert) => {
    const body = toBody(alert)
    const sentAt = now()
    const headers = {
      'Content-Type': 'application/json',
      'webhook-id': alert.id,
      'webhook-timestamp': String(toSeconds(sentAt)),
      'webhook-signature': webhook.sign(alert.id, new Date(sentAt), body),
    }
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
      await response.body?.cancel()
      return response.ok
    } catch {
      return false
    }
  }
}
