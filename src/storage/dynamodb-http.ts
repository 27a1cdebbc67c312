import { AwsV4Signer } from 'aws4fetch'
import type { EpochMs } from '../broker/connection.ts'
import type { StorageSettings } from '../config/config.ts'
import { Problem } from '../problem.ts'
import {
  isClockSkewError,
  parseBody,
  parseErrorMessage,
  parseErrorName,
  THROTTLING_ERRORS,
  TRANSIENT_ERRORS,
  toPermanentError,
} from './dynamodb-errors.ts'
import { createRetryBudget } from './retry-budget.ts'
import { createTableClock, type TableClock } from './table-clock.ts'

/** The standard retry mode of the AWS SDKs: four attempts with full jitter. `timeoutMs` limits the total time. */
const ATTEMPTS = 4
/** The share of `timeoutMs` for one attempt, so that there is time for a second one if the first hangs. */
const ATTEMPT_SHARE = 4 / 9
/** First pause, which then doubles. */
/** First pause, which then doubles. */
const TRANSIENT_BASE_MS = 25
const THROTTLED_BASE_MS = 1_000
const MAX_PAUSE_MS = 20_000

type Body = Record<string, unknown>
/** The body of a response. `refused`: a condition was not met. */
export type OperationResult = { outcome: 'succeeded' | 'refused'; body: Body }

interface FailedAttempt {
  outcome: 'failed'
  /** The first three are retried. `skewed` is sent once more with a corrected date. `permanent` is not retried. */
  kind: 'transient' | 'throttled' | 'timeout' | 'skewed' | 'permanent'
  /** The name of DynamoDB's error, or our own name if the response has none. */
  error: string
  status: number | undefined
}

/** Options of one request. */
/** Options of one request. */
export interface SendOptions {
  /** Maximum number of attempts; four if absent. */
  attempts?: number
  /** Called after the pause, before each retry. Always retries if absent. */
  mayRetry?: (() => boolean) | undefined
  /** Timeout of one attempt in ms; four ninths of `timeoutMs` if absent. */
  attemptMs?: number
}

/** The log event of a request that failed after all attempts. Contains no key and no item. */
export interface DynamoDbFailed {
  event: 'dynamodb_failed'
  operation: string
  error: string
  /** Absent if there was no response. */
  status: number | undefined
  attempts: number
  region: string
}

/** Network, clock, sleep, random numbers and log. */
/** Network, clock, sleep, random numbers and log. */
export interface DynamoDbHttpRuntime {
  fetch: typeof fetch
  /** Local time, epoch milliseconds. */
  now(): number
  sleep(milliseconds: number): Promise<void>
  random(): number
  /** Learns the time of the table from responses and dates the requests. The client creates its own if absent. */
  clock?: TableClock
  log?: (event: DynamoDbFailed) => void
}

/** aws4fetch caches the derived key of each day here. One map for each client. */
type SigningKeys = Map<string, ArrayBuffer>

/** Formats a date for Signature Version 4: `20260105T101112Z`. */
function toSigningDate(at: EpochMs) {
  return new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, '')
}

/** Signs a request with Signature Version 4 and returns its headers. The signature does not cover `Content-Type`. */
async function sign(
  { endpoint, region, accessKeyId, secretAccessKey, sessionToken }: StorageSettings,
  cache: SigningKeys,
  { operation, payload, at }: { operation: string; payload: string; at: EpochMs },
): Promise<Headers> {
  const signer = new AwsV4Signer({
    method: 'POST',
    url: endpoint,
    headers: { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `DynamoDB_20120810.${operation}` },
    body: payload,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken ? { sessionToken } : {}),
    service: 'dynamodb',
    region,
    cache,
    datetime: toSigningDate(at),
  })
  return (await signer.sign()).headers
}

function createUnavailableError() {
  return new Problem(
    'storage_unavailable',
    'The token store could not be reached. Nothing was lost. Try again in a moment.',
    { retryAfterSeconds: 5 },
  )
}

/**
 * Classifies one response. DynamoDB reports client errors as 400 with an error name. A 4xx without a name comes from a
 * proxy and is retried like a 5xx.
 */
function classify({ status, headers }: Response, text: string, signedOffMs: number): OperationResult | FailedAttempt {
  const body = parseBody(text)
  if (status === 200 && body) return { outcome: 'succeeded', body }
  const name = status === 200 ? undefined : parseErrorName(headers, body)
  if (name === 'ConditionalCheckFailedException') return { outcome: 'refused', body: body ?? {} }
  const failed = (kind: FailedAttempt['kind']): FailedAttempt => {
    return { outcome: 'failed', kind, error: name ?? 'UnreadableResponse', status }
  }
  if (status === 429 || (name !== undefined && THROTTLING_ERRORS.has(name))) return failed('throttled')
  if (status >= 500 || name === undefined || TRANSIENT_ERRORS.has(name)) return failed('transient')
  return failed(isClockSkewError(name, parseErrorMessage(body), signedOffMs) ? 'skewed' : 'permanent')
}

/** Classifies a request without a response. */
function classifyNetworkError(error: unknown): FailedAttempt {
  const isTimeout = error instanceof Error && error.name === 'TimeoutError'
  return { outcome: 'failed', ...(isTimeout ? TIMED_OUT : UNREACHABLE), status: undefined }
}
const TIMED_OUT = { kind: 'timeout', error: 'TimeoutError' } as const
const UNREACHABLE = { kind: 'transient', error: 'NetworkError' } as const

/** The pause before a retry in ms: exponential, with full jitter. `undefined`: a retry does not help. */
function computePause({ kind }: FailedAttempt, retries: number, random: () => number): number | undefined {
  if (kind === 'skewed' || kind === 'permanent') return undefined
  const base = kind === 'throttled' ? THROTTLED_BASE_MS : TRANSIENT_BASE_MS
  return random() * Math.min(base * 2 ** retries, MAX_PAUSE_MS)
}

/**
 * Sends signed requests to the HTTP API of DynamoDB. Retries transient failures, so every operation must be idempotent.
 * Throws `storage_unavailable` within `timeoutMs`, `configuration_error` if the operator has to act, and `DynamoDbError`
 * for any other rejection.
 */
export function createDynamoDbHttp(settings: () => StorageSettings, runtime: DynamoDbHttpRuntime) {
  const { fetch, now, sleep, random, log } = runtime
  const clock = runtime.clock ?? createTableClock({ now, skewMs: () => Infinity, log: () => undefined })
  const signingKeys: SigningKeys = new Map()
  const budget = createRetryBudget()

  const attempt = async (
    operation: string,
    payload: string,
    timeoutMs: number,
  ): Promise<OperationResult | FailedAttempt> => {
    const signedWith = clock.offsetMs()
    const headers = await sign(settings(), signingKeys, { operation, payload, at: clock.now() })
    const signal = AbortSignal.timeout(timeoutMs)
    const sentAt = now()
    try {
      const response = await fetch(settings().endpoint, {
        ...{ method: 'POST', headers, body: payload, redirect: 'manual', signal },
      })
      clock.measure(response.headers, sentAt)
      return classify(response, await response.text(), clock.offsetMs() - signedWith)
    } catch (error) {
      return classifyNetworkError(error)
    }
  }

  const createError = (operation: string, { kind, error, status }: FailedAttempt, attempts: number): Error => {
    log?.({ event: 'dynamodb_failed', operation, error, status, attempts, region: settings().region })
    return kind === 'permanent' ? toPermanentError(operation, error) : createUnavailableError()
  }

  return async (operation: string, input: object, options: SendOptions = {}): Promise<OperationResult> => {
    const { timeoutMs } = settings()
    const { attempts = ATTEMPTS, attemptMs = Math.floor(timeoutMs * ATTEMPT_SHARE), mayRetry = () => true } = options
    const payload = JSON.stringify(input)
    const deadline = now() + timeoutMs
    let cost: number | undefined
    let isRedated = false
    for (let sent = 1, retries = 0; ; sent++) {
      const result = await attempt(operation, payload, Math.max(1, Math.min(attemptMs, deadline - now())))
      if (result.outcome !== 'failed') {
        budget.succeed(cost)
        return result
      }
      // The response has corrected the clock. This does not count as a retry, so it also happens with one attempt.
      if (result.kind === 'skewed' && !isRedated) {
        isRedated = true
        continue
      }
      const pause = computePause(result, retries, random)
      retries++
      if (pause === undefined || retries === attempts || now() + pause >= deadline)
        throw createError(operation, result, sent)
      cost = budget.take(result.kind === 'timeout')
      if (cost === undefined) throw createError(operation, result, sent)
      await sleep(pause)
      if (!mayRetry()) throw createError(operation, result, sent)
    }
  }
}
