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

/** What a wrong clock may be answered with. Most of them also have other reasons. */
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
/** From here on the SDKs blame the clock for an error that may have another reason. */
const SURELY_SKEWED_MS = 240_000

const WRONG_KEY_ID = 'AWS_ACCESS_KEY_ID or AWS_SESSION_TOKEN is not valid'
const WRONG_SECRET = 'AWS_SECRET_ACCESS_KEY does not fit AWS_ACCESS_KEY_ID'
const MALFORMED_KEY_ID = 'AWS_ACCESS_KEY_ID is malformed (is it swapped with AWS_SECRET_ACCESS_KEY?)'
const NOT_ALLOWED = 'AWS_ACCESS_KEY_ID may not use DYNAMODB_TABLE'
const NOT_ACCEPTED = 'AWS_ACCESS_KEY_ID is not accepted'
const EXPIRED = 'AWS_SESSION_TOKEN has expired'

/** What the operator has to correct when DynamoDB refuses us, by the name of its error. */
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

/** A 4xx that is neither the operator's fault nor mended by another attempt. */
export class DynamoDbError extends Error {
  override readonly name = 'DynamoDbError'
  /** DynamoDB's name for it. */
  readonly error: string

  constructor(error: string) {
    super(`DynamoDB refused a request: ${error}`)
    this.error = error
  }
}

type Body = Record<string, unknown>

export function isRecord(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function parseBody(text: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function firstText(...values: unknown[]): string | undefined {
  return values.find((value) => typeof value === 'string')
}

/**
 * `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException:http://…` → `ResourceNotFoundException`, from the body or
 * from the header alone (AWS JSON 1.0 protocol, "Operation error serialization"). `undefined` where neither names one.
 */
export function errorName(headers: Headers, body: Body | undefined): string | undefined {
  const value = firstText(body?.['__type'], body?.['code'], headers.get('x-amzn-errortype'))
  const name = value?.split(/[,:]/)[0]?.split('#').at(-1)?.trim()
  // It goes into the log, and a proxy may send anything.
  return name !== undefined && /^[A-Za-z][A-Za-z0-9.]{0,99}$/.test(name) ? name : undefined
}

export function errorMessage(body: Body | undefined): string {
  return firstText(body?.['message'], body?.['Message']) ?? ''
}

/** Whether DynamoDB refused the time of a request. `signedOffMs`: how wrong the clock was when the request was signed. */
export function isClockSkewError(name: string, message: string, signedOffMs: number): boolean {
  if (!CLOCK_SKEW_ERRORS.has(name)) return false
  if (ONLY_CLOCK_SKEW.has(name) || Math.abs(signedOffMs) >= SURELY_SKEWED_MS) return true
  return SIGNATURE_ERRORS.has(name) && /\b(expired|not yet current)\b/i.test(message)
}

/** A 4xx that another attempt does not mend: `configuration_error` where the operator can, else an error of ours. */
export function permanentError(operation: string, name: string): Error {
  // Only the index is ever queried. DynamoDB calls a query of an index that is not there, or not yet, invalid.
  const isIndex = operation === 'Query' && name === 'ValidationException'
  const fault = isIndex ? 'DYNAMODB_FLEET_INDEX names no index of DYNAMODB_TABLE' : OPERATOR_FAULTS.get(name)
  return fault === undefined
    ? new DynamoDbError(name)
    : new Problem('configuration_error', `The operator has to configure this deployment: ${fault}.`)
}
