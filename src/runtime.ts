import { base64url } from 'jose'
import type { LogEvent, Runtime } from './broker/ports/runtime.ts'
import type { RequestLine } from './middleware/request-log.ts'
import type { DynamoDbFailed } from './storage/dynamodb-http.ts'
import type { ClockSkew } from './storage/table-clock.ts'

/** The `env` of the Worker: variables, secrets and bindings. */
export type Env = Record<string, unknown>

const NONCE_BYTES = 24

/** The clock, timer and randomness of workerd. */
export const runtime: Runtime = {
  now: () => Date.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  random: () => Math.random(),
  nonce: () => base64url.encode(crypto.getRandomValues(new Uint8Array(NONCE_BYTES))),
}

/** The global `fetch`, looked up at each call. */
export const network: typeof fetch = (input, init) => fetch(input, init)

function findErrorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

/** The frames of the stack without the message, which may contain a secret. */
function findStackFrames(error: unknown): string[] {
  return error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : []
}

/** Logs an unknown error: its name, the name of its cause and its stack frames, but no message. */
export function logUnknownError(error: unknown, requestId: string): void {
  const cause = error instanceof Error ? error.cause : undefined
  const line = {
    event: 'internal_error',
    request_id: requestId,
    error: findErrorName(error),
    cause: cause === undefined ? undefined : findErrorName(cause),
    frames: findStackFrames(error),
  }
  console.error(JSON.stringify(line))
}

/** Logs one line per request. */
export function logRequest(line: RequestLine): void {
  console.log(JSON.stringify(line))
}

/** Logs an event that needs the attention of the operator. */
export function warn(
  event:
    | LogEvent
    | DynamoDbFailed
    | ClockSkew
    | { event: 'tokens_not_encrypted' | 'weak_api_key' | 'not_ready'; [detail: string]: unknown },
): void {
  console.warn(JSON.stringify(event))
}
