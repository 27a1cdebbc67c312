import { base64, bytesOfBase64 } from '../crypto/bytes.ts'
import { hmac, hmacKey } from '../crypto/hmac.ts'
import type { Alert, SendAlert } from '../fleet/ports.ts'

/** How long the receiver may take. Milliseconds. */
const PATIENCE_MS = 10_000

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

/** The scheme's symmetric signature, `v1` (Standard Webhooks specification, "Signature scheme"). */
async function signatureOf(secret: string, signed: string) {
  return `v1,${base64(await hmac(await hmacKey(bytesOfBase64(secret)), signed))}`
}

function bodyOf({ type, at, data }: Alert) {
  return JSON.stringify({ type, timestamp: new Date(at * 1000).toISOString(), data })
}

/** Sends alerts by the Standard Webhooks scheme. Only a 2xx counts as taken; a redirect is not followed. */
export function createWebhook({ url, secret }: WebhookSettings, { fetch, now }: WebhookDeps): SendAlert {
  return async (alert) => {
    const [body, timestamp] = [bodyOf(alert), String(Math.floor(now() / 1000))]
    const headers = {
      'Content-Type': 'application/json',
      'webhook-id': alert.id,
      'webhook-timestamp': timestamp,
      'webhook-signature': await signatureOf(secret, `${alert.id}.${timestamp}.${body}`),
    }
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS)
      const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
      await answer.body?.cancel()
      return answer.ok
    } catch {
      return false
    }
  }
}
