import type { StorageSettings } from '../config.ts'
import { once } from '../once.ts'
import { Problem } from '../problem.ts'
import { dynamoDbSigner } from './signer.ts'

/** The AWS SDKs' standard policy (four attempts, full jitter), under deadlines of our own. Milliseconds. */
const ATTEMPTS = 4
const ATTEMPT_MS = 2_000
const TOTAL_MS = 4_500
const TRANSIENT_BASE_MS = 25
const THROTTLED_BASE_MS = 1_000
const LONGEST_PAUSE_MS = 20_000

const THROTTLED = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'LimitExceededException',
  'SlowDown',
])

/** What the operator has to look at when DynamoDB refuses us, by the name of its error. */
const OPERATOR_FAULTS: Record<string, string> = {
  ResourceNotFoundException: 'DYNAMODB_TABLE names no table of AWS_REGION',
  AccessDeniedException: 'AWS_ACCESS_KEY_ID may not use DYNAMODB_TABLE',
  UnrecognizedClientException: 'AWS_ACCESS_KEY_ID or AWS_SESSION_TOKEN is not valid',
  InvalidSignatureException: 'AWS_SECRET_ACCESS_KEY does not fit AWS_ACCESS_KEY_ID',
  MissingAuthenticationTokenException: 'AWS_ACCESS_KEY_ID is not accepted',
  ExpiredTokenException: 'AWS_SESSION_TOKEN has expired',
}

type Body = Record<string, unknown>
type Attempt =
  | { outcome: 'answered'; body: Body }
  | { outcome: 'refused'; body: Body }
  | { outcome: 'failed'; base: number }

/** DynamoDB's answer: its body, or the body of a refused condition. */
export type Answer = Exclude<Attempt, { outcome: 'failed' }>

export interface SendOptions {
  /** How often a request is sent at the most; four times if absent. */
  attempts?: number
  /** How long each may take, in ms; two seconds if absent. */
  attemptMs?: number
}

export interface TransportSurroundings {
  fetch: typeof fetch
  now(): number
  sleep(milliseconds: number): Promise<void>
  random(): number
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parsedBody(text: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isBody(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException` → `ResourceNotFoundException` */
function errorName(body: Body | undefined) {
  const type = body?.['__type']
  return typeof type === 'string' ? type.slice(type.lastIndexOf('#') + 1) : ''
}

function unavailable() {
  return new Problem(
    'storage_unavailable',
    'The token store could not be reached. Nothing was lost; ask again in a moment.',
    {
      headers: { 'Retry-After': '5' },
    },
  )
}

/** A 4xx that repeating won't mend: the operator's fault or, by default, ours. */
function fault(operation: string, name: string) {
  // An index that is not there, or not yet, is no valid request. The index is all that is ever queried.
  const isIndex = operation === 'Query' && name === 'ValidationException'
  const operatorFault = isIndex ? 'DYNAMODB_FLEET_INDEX names no index of DYNAMODB_TABLE' : OPERATOR_FAULTS[name]
  return operatorFault
    ? new Problem('configuration_error', `The operator has to configure this deployment: ${operatorFault}.`)
    : new Error(`DynamoDB refused a request: ${name || 'no error name'}`)
}

const SKEWED = 'RequestTimeTooSkewed'

/**
 * Reads one answer. Client errors of DynamoDB come as 400 with a name; a 4xx without one is a proxy's, and worth
 * another attempt like a 5xx.
 */
function judge(operation: string, status: number, text: string): Attempt {
  const body = parsedBody(text)
  if (status === 200) return body ? { outcome: 'answered', body } : { outcome: 'failed', base: TRANSIENT_BASE_MS }
  const name = errorName(body)
  if (body && name === 'ConditionalCheckFailedException') return { outcome: 'refused', body }
  if (THROTTLED.has(name) || status === 429) return { outcome: 'failed', base: THROTTLED_BASE_MS }
  if (status >= 500 || !name || name === SKEWED) return { outcome: 'failed', base: TRANSIENT_BASE_MS }
  throw fault(operation, name)
}

/**
 * Sends signed requests to DynamoDB's HTTP API. Repeats what failed in between, so every caller's operation has to bear
 * being applied twice. Throws `storage_unavailable` within 4.5 s, `configuration_error` where the operator is asked.
 */
export function dynamoDbTransport(
  settings: () => StorageSettings,
  { fetch, now, sleep, random }: TransportSurroundings,
) {
  // One for the isolate: it keeps the day's signing key.
  const signer = once(() => dynamoDbSigner(settings()))

  const attempt = async (operation: string, payload: string, timeoutMs: number): Promise<Attempt> => {
    const headers = await signer()(operation, payload, now())
    const signal = AbortSignal.timeout(timeoutMs)
    let status: number
    let text: string
    try {
      const response = await fetch(settings().endpoint, {
        ...{ method: 'POST', headers, body: payload, redirect: 'manual', signal },
      })
      status = response.status
      text = await response.text()
    } catch {
      return { outcome: 'failed', base: TRANSIENT_BASE_MS }
    }
    return judge(operation, status, text)
  }

  return async (
    operation: string,
    input: object,
    { attempts = ATTEMPTS, attemptMs = ATTEMPT_MS }: SendOptions = {},
  ): Promise<Answer> => {
    const payload = JSON.stringify(input)
    const giveUpAt = now() + TOTAL_MS
    for (let count = 0; count < attempts; count++) {
      const result = await attempt(operation, payload, Math.max(1, Math.min(attemptMs, giveUpAt - now())))
      if (result.outcome !== 'failed') return result
      const pause = random() * Math.min(result.base * 2 ** count, LONGEST_PAUSE_MS)
      if (count === attempts - 1 || now() + pause >= giveUpAt) break
      await sleep(pause)
    }
    throw unavailable()
  }
}
