import type { LogEvent, Runtime } from './broker/ports.ts'
import { base64Url } from './crypto/bytes.ts'
import type { RequestLine } from './middleware/request-log.ts'
import type { DynamoDbFailed } from './storage/dynamodb-http.ts'
import type { ClockSkew } from './storage/table-clock.ts'

/** What an `env` may hold: variables, secrets and bindings. */
export type Env = Record<string, unknown>

const NONCE_BYTES = 24

/** Time and chance as workerd has them. */
export const runtime: Runtime = {
  now: () => Date.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  random: () => Math.random(),
  nonce: () => base64Url(crypto.getRandomValues(new Uint8Array(NONCE_BYTES))),
}

export const network: typeof fetch = (input, init) => fetch(input, init)

/** Frames without the message: an unknown error's text may quote what it choked on. */
function frames(error: unknown) {
  return error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : []
}

export function reportFault(error: unknown, requestId: string): void {
  const name = error instanceof Error ? error.name : typeof error
  console.error(JSON.stringify({ event: 'internal_error', request_id: requestId, error: name, frames: frames(error) }))
}

export function logRequest(line: RequestLine): void {
  console.log(JSON.stringify(line))
}

/** What the operator has to look at. */
export function warn(
  event:
    | LogEvent
    | DynamoDbFailed
    | ClockSkew
    | { event: 'tokens_not_sealed' | 'not_ready'; [detail: string]: unknown },
): void {
  console.warn(JSON.stringify(event))
}
