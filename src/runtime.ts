import { base64url } from 'jose'
import type { LogEvent, Runtime } from './broker/ports/runtime.ts'
import type { RequestLine } from './middleware/request-log.ts'
import type { DynamoDbFailed } from './storage/dynamodb-http.ts'
import type { ClockSkew } from './storage/table-clock.ts'

/** What an `env` may hold: variables, secrets and bindings. */
export type Env = Record<string, unknown>

const NONCE_BYTES = 24

/** The clock, timer and randomness of workerd. */
export const runtime: Runtime = {
  now: () => Date.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  random: () => Math.random(),
  nonce: () => base64url.encode(crypto.getRandomValues(new Uint8Array(NONCE_BYTES))),
}

export const network: typeof fetch = (input, init) => fetch(input, init)

function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

/** Stack frames without the message, which may quote the value that caused the error. */
function frames(error: unknown): string[] {
  return error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : []
}

/** Logs an unknown error: its name, its cause's name and its stack frames. No message, as it may hold a secret. */
export function reportFault(error: unknown, requestId: string): void {
  const cause = error instanceof Error ? error.cause : undefined
  const line = {
    event: 'internal_error',
    request_id: requestId,
    error: errorName(error),
    cause: cause === undefined ? undefined : errorName(cause),
    frames: frames(error),
  }
  console.error(JSON.stringify(line))
}

export function logRequest(line: RequestLine): void {
  console.log(JSON.stringify(line))
}

/** Logs an event that the operator should look into. */
export function warn(
  event:
    | LogEvent
    | DynamoDbFailed
    | ClockSkew
    | { event: 'tokens_not_sealed' | 'not_ready'; [detail: string]: unknown },
): void {
  console.warn(JSON.stringify(event))
}
