import { Problem } from '../problem.ts'

/**
 * DynamoDB's errors by name, as the AWS SDKs classify them (`@smithy/core/retry`, and `$retryable` of
 * `@aws-sdk/client-dynamodb`). A test compares these lists with those.
 */
export const THROTTLING_ERRORS: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
])

export const TRANSIENT_ERRORS: ReadonlySet<string> = new Set([
  'InternalFailure',
  'InternalFailureException',
  'InternalServerError',
  'InternalServerErrorException',
  'ReplicatedWriteConflictException',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'TimeoutError',
  // The SDKs leave this one to the application. A write of one item may be repeated.
  'TransactionConflictException',
])

/** Errors that a wrong clock can cause. Most of them also have other causes. */
export const CLOCK_SKEW_ERRORS: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'AuthFailure',
  'InvalidSignatureException',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
])
const ONLY_CLOCK_SKEW = new Set(['RequestExpired', 'RequestInTheFuture', 'RequestTimeTooSkewed'])
const SIGNATURE_ERRORS = new Set(['InvalidSignatureException', 'SignatureDoesNotMatch'])
/** From this skew on, the SDKs attribute an ambiguous error to the clock. */
const CERTAIN_SKEW_MS = 240_000

const WRONG_KEY_ID = 'AWS_ACCESS_KEY_ID or AWS_SESSION_TOKEN is not valid'
const WRONG_SECRET = 'AWS_SECRET_ACCESS_KEY does not fit AWS_ACCESS_KEY_ID'
const MALFORMED_KEY_ID = 'AWS_ACCESS_KEY_ID is malformed (is it swapped with AWS_SECRET_ACCESS_KEY?)'
const NOT_ALLOWED = 'AWS_ACCESS_KEY_ID may not use DYNAMODB_TABLE'
const NOT_ACCEPTED = 'AWS_ACCESS_KEY_ID is not accepted'
const EXPIRED = 'AWS_SESSION_TOKEN has expired'

/** What the operator has to correct, by the name of DynamoDB's error. */
const OPERATOR_FAULTS: ReadonlyMap<string, string> = new Map([
  ['ResourceNotFoundException', 'DYNAMODB_TABLE names no table of AWS_REGION'],
  ['AccessDeniedException', NOT_ALLOWED],
  ['AccessDenied', NOT_ALLOWED],
  ['UnrecognizedClientException', WRONG_KEY_ID],
  ['InvalidClientTokenId', WRONG_KEY_ID],
  ['InvalidSignatureException', WRONG_SECRET],
  ['SignatureDoesNotMatch', WRONG_SECRET],
  ['IncompleteSignatureException', MALFORMED_KEY_ID],
  ['IncompleteSignature', MALFORMED_KEY_ID],
  ['MissingAuthenticationTokenException', NOT_ACCEPTED],
  ['MissingAuthenticationToken', NOT_ACCEPTED],
  ['AuthFailure', NOT_ACCEPTED],
  ['OptInRequired', NOT_ACCEPTED],
  ['ExpiredTokenException', EXPIRED],
  ['ExpiredToken', EXPIRED],
])

/** A 4xx that neither the operator nor a retry can correct: a bug in this service. */
export class DynamoDbError extends Error {
  override readonly name = 'DynamoDbError'
  /** The name that DynamoDB gives the error. */
  readonly error: string

  constructor(error: string) {
    super(`DynamoDB refused a request: ${error}`)
    this.error = error
  }
}

type Body = Record<string, unknown>

/** Whether a value is an object and not an array. */
/** Whether a value is an object and not an array. */
export function isRecord(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Parses a JSON object. `undefined`: the text is something else, such as HTML from a proxy. */
/** Parses a JSON object. `undefined`: the text is something else, such as HTML from a proxy. */
export function parseBody(text: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function findText(...values: unknown[]): string | undefined {
  return values.find((value) => typeof value === 'string')
}

/**
 * The name of an error, from the body or the header (AWS JSON 1.0 protocol, "Operation error serialization"):
 * `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException:http://…` → `ResourceNotFoundException`. `undefined`: the
 * response has none.
 */
export function parseErrorName(headers: Headers, body: Body | undefined): string | undefined {
  const value = findText(body?.['__type'], body?.['code'], headers.get('x-amzn-errortype'))
  const name = value?.split(/[,:]/)[0]?.split('#').at(-1)?.trim()
  // The name is logged, and a proxy can send any text.
  return name !== undefined && /^[A-Za-z][A-Za-z0-9.]{0,99}$/.test(name) ? name : undefined
}

/** The message of an error. Empty if the body has none. */
/** The message of an error. Empty if the body has none. */
export function parseErrorMessage(body: Body | undefined): string {
  return findText(body?.['message'], body?.['Message']) ?? ''
}

/**
 * Whether DynamoDB rejected the date of a request. `signedOffMs`: how far off the clock was when the request was
 * signed.
 */
export function isClockSkewError(name: string, message: string, signedOffMs: number): boolean {
  if (!CLOCK_SKEW_ERRORS.has(name)) return false
  if (ONLY_CLOCK_SKEW.has(name) || Math.abs(signedOffMs) >= CERTAIN_SKEW_MS) return true
  return SIGNATURE_ERRORS.has(name) && /\b(expired|not yet current)\b/i.test(message)
}

/** Converts a permanent 4xx: to `configuration_error` if the operator can correct it, else to `DynamoDbError`. */
export function toPermanentError(operation: string, name: string): Error {
  // All queries are on the index. If it does not exist yet, DynamoDB responds with ValidationException.
  const isIndex = operation === 'Query' && name === 'ValidationException'
  const fault = isIndex ? 'DYNAMODB_FLEET_INDEX names no index of DYNAMODB_TABLE' : OPERATOR_FAULTS.get(name)
  return fault === undefined
    ? new DynamoDbError(name)
    : new Problem('configuration_error', `The operator has to configure this deployment: ${fault}.`)
}
