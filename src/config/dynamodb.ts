import * as v from 'valibot'
import { isRegion, regionalEndpoint } from './aws-regions.ts'
import { HTTP_ORIGIN, milliseconds, TEXT, VISIBLE } from './formats.ts'

/**
 * The formats in which AWS issues access keys: an upper-case id with a known prefix, and a secret of 40 base64
 * characters.
 */
const ISSUED_ID = /^(AKIA|ASIA)[A-Z0-9]{12,}$/
const ISSUED_SECRET = /^(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9+/])[A-Za-z0-9+/]{40}$/
const SWAPPED = 'has the format of the other one: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY seem to be swapped'

/** Timeout of a DynamoDB request with its retries, in ms. It leaves time to respond to the caller within 10 s. */
export const STORAGE_TIMEOUT_MS = 4_500

/** The table, its region and endpoint, and the AWS credentials. */
export const STORAGE = v.pipe(
  v.object({
    AWS_REGION: TEXT,
    AWS_ACCESS_KEY_ID: v.pipe(
      VISIBLE,
      v.check((id) => !ISSUED_SECRET.test(id), SWAPPED),
      // These characters delimit the id in the Authorization header (Signature Version 4).
      v.regex(/^[^/,=]+$/, 'must be an access key id: it has no slash, comma or equals sign'),
    ),
    AWS_SECRET_ACCESS_KEY: v.pipe(
      VISIBLE,
      v.check((secret) => !ISSUED_ID.test(secret), SWAPPED),
    ),
    AWS_SESSION_TOKEN: v.optional(VISIBLE),
    DYNAMODB_TABLE: v.pipe(TEXT, v.regex(/^[\w.-]{3,255}$/, 'must be a table name')),
    DYNAMODB_ENDPOINT: v.optional(HTTP_ORIGIN),
    DYNAMODB_TIMEOUT_MS: milliseconds(STORAGE_TIMEOUT_MS),
  }),
  v.forward(
    v.partialCheck(
      [['AWS_REGION'], ['DYNAMODB_ENDPOINT']],
      (env) => isRegion(env.AWS_REGION, env.DYNAMODB_ENDPOINT !== undefined),
      'must be a region such as us-east-1',
    ),
    ['AWS_REGION'],
  ),
  v.transform((env) => ({
    region: env.AWS_REGION,
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    sessionToken: env.AWS_SESSION_TOKEN,
    table: env.DYNAMODB_TABLE,
    endpoint: env.DYNAMODB_ENDPOINT ?? regionalEndpoint(env.AWS_REGION) ?? '',
    timeoutMs: env.DYNAMODB_TIMEOUT_MS,
  })),
)
