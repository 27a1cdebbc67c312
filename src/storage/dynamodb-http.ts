import { AwsV4Signer } from 'aws4fetch'
import type { EpochMs } from '../broker/connection.ts'
import type { StorageSettings } from '../config/config.ts'
import { Problem } from '../problem.ts'
import {
  errorMessage,
  errorName,
  isClockSkewError,
  parseBody,
  permanentError,
  THROTTLING_ERRORS,
  TRANSIENT_ERRORS,
} from './dynamodb-errors.ts'
import { retryBudget } from './retry-budget.ts'
import { type TableClock, tableClock } from './table-clock.ts'

/** The AWS SDKs' standard policy (four attempts, full jitter), under deadlines of our own (`timeoutMs`). Milliseconds. */
const ATTEMPTS = 4
/** The share of `timeoutMs` that one attempt may take, so that a request that hangs is sent twice. */
const ATTEMPT_SHARE = 4 / 9
const TRANSIENT_BASE_MS = 25
const THROTTLED_BASE_MS = 1_000
const LONGEST_PAUSE_MS = 20_000

type Body = Record<string, unknown>
/** The body of a response, or of a refused condition. */
export type Answer = { outcome: 'answered' | 'refused'; body: Body }

interface FailedAttempt {
  outcome: 'failed'
  /** Only the first three are worth another attempt. `skewed` is worth one, with a corrected time. */
  kind: 'transient' | 'throttled' | 'timeout' | 'skewed' | 'permanent'
  /** DynamoDB's name for it, or ours where the response has none. */
  error: string
  status: number | undefined
}

export interface SendOptions {
  /** Maximum number of attempts; four if absent. */
  attempts?: number
  /** Called after the pause, before each retry. Always retries if absent. */
  mayRetry?: (() => boolean) | undefined
  /** Timeout of one attempt in ms; four ninths of `timeoutMs` if absent. */
  attemptMs?: number
}

/** Why a request failed for good. Names no key and no item. */
export interface DynamoDbFailed {
  event: 'dynamodb_failed'
  operation: string
  error: string
  /** Absent where there was no response. */
  status: number | undefined
  attempts: number
  region: string
}

export interface DynamoDbHttpRuntime {
  fetch: typeof fetch
  /** Local time. */
  now(): number
  sleep(milliseconds: number): Promise<void>
  random(): number
  /** Measures the table's time from every response, and dates the requests. The client has its own if absent. */
  clock?: TableClock
  log?: (event: DynamoDbFailed) => void
}

/** aws4fetch keeps the derived key of each day here. One map for each client. */
type SigningKeys = Map<string, ArrayBuffer>

/** `2026-01-05T10:11:12.131Z` → `20260105T101112Z` */
function toSigningDate(at: EpochMs) {
  return new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, '')
}

/** Signs one request by Signature Version 4 and returns its headers. `Content-Type` is not part of the signature. */
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

function unavailable() {
  return new Problem(
    'storage_unavailable',
    'The token store could not be reached. Nothing was lost; ask again in a moment.',
    {
      retryAfterSeconds: 5,
    },
  )
}

/**
 * Classifies one response. Client errors of DynamoDB come as 400 with a name; a 4xx without one is a proxy's, and worth
 * another attempt like a 5xx.
 */
function classify({ status, headers }: Response, text: string, signedOffMs: number): Answer | FailedAttempt {
  const body = parseBody(text)
  if (status === 200 && body) return { outcome: 'answered', body }
  const name = status === 200 ? undefined : errorName(headers, body)
  if (name === 'ConditionalCheckFailedException') return { outcome: 'refused', body: body ?? {} }
  const failed = (kind: FailedAttempt['kind']): FailedAttempt => {
    return { outcome: 'failed', kind, error: name ?? 'UnreadableResponse', status }
  }
  if (status === 429 || (name !== undefined && THROTTLING_ERRORS.has(name))) return failed('throttled')
  if (status >= 500 || name === undefined || TRANSIENT_ERRORS.has(name)) return failed('transient')
  return failed(isClockSkewError(name, errorMessage(body), signedOffMs) ? 'skewed' : 'permanent')
}

function withoutResponse(error: unknown): FailedAttempt {
  const isTimeout = error instanceof Error && error.name === 'TimeoutError'
  return { outcome: 'failed', ...(isTimeout ? TIMED_OUT : UNREACHABLE), status: undefined }
}
const TIMED_OUT = { kind: 'timeout', error: 'TimeoutError' } as const
const UNREACHABLE = { kind: 'transient', error: 'NetworkError' } as const

/** Full jitter on a pause that doubles; `undefined` where another attempt does not help. */
function pauseAfter({ kind }: FailedAttempt, retries: number, random: () => number): number | undefined {
  if (kind === 'skewed' || kind === 'permanent') return undefined
  const base = kind === 'throttled' ? THROTTLED_BASE_MS : TRANSIENT_BASE_MS
  return random() * Math.min(base * 2 ** retries, LONGEST_PAUSE_MS)
}

/**
 * Sends signed requests to DynamoDB's HTTP API. Retries transient failures, so every operation has to be idempotent. Throws `storage_unavailable` within `timeoutMs`, `configuration_error` where the operator has to act, and
 * `DynamoDbError` for any other refusal.
 */
export function createDynamoDbHttp(settings: () => StorageSettings, runtime: DynamoDbHttpRuntime) {
  const { fetch, now, sleep, random, log } = runtime
  const clock = runtime.clock ?? tableClock({ now, skewMs: () => Infinity, log: () => undefined })
  const signingKeys: SigningKeys = new Map()
  const budget = retryBudget()

  const attempt = async (operation: string, payload: string, timeoutMs: number): Promise<Answer | FailedAttempt> => {
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
      return withoutResponse(error)
    }
  }

  const give = (operation: string, { kind, error, status }: FailedAttempt, attempts: number): Error => {
    log?.({ event: 'dynamodb_failed', operation, error, status, attempts, region: settings().region })
    return kind === 'permanent' ? permanentError(operation, error) : unavailable()
  }

  return async (operation: string, input: object, options: SendOptions = {}): Promise<Answer> => {
    const { timeoutMs } = settings()
    const { attempts = ATTEMPTS, attemptMs = Math.floor(timeoutMs * ATTEMPT_SHARE), mayRetry = () => true } = options
    const payload = JSON.stringify(input)
    const giveUpAt = now() + timeoutMs
    let cost: number | undefined
    let isRedated = false
    for (let sent = 1, retries = 0; ; sent++) {
      const result = await attempt(operation, payload, Math.max(1, Math.min(attemptMs, giveUpAt - now())))
      if (result.outcome !== 'failed') {
        budget.succeed(cost)
        return result
      }
      // The response has corrected the clock. This does not count as a retry, so it also happens with one attempt.
      const isToRedate: boolean = result.kind === 'skewed' && !isRedated
      if (isToRedate) {
        isRedated = true
        continue
      }
      const pause = pauseAfter(result, retries, random)
      retries++
      if (pause === undefined || retries === attempts || now() + pause >= giveUpAt) throw give(operation, result, sent)
      cost = budget.take(result.kind === 'timeout')
      if (cost === undefined) throw give(operation, result, sent)
      await sleep(pause)
      if (!mayRetry()) throw give(operation, result, sent)
    }
  }
}
