import * as v from 'valibot'
import { httpOrigin, optional, required } from './forms.ts'
import { regionalEndpoint } from './read-regions.ts'

/** The table, and who reads and writes it. */
export function storage() {
  return v.pipe(
    v.object({
      AWS_REGION: v.pipe(required(), v.regex(/^[a-z0-9-]+$/, 'must be a region such as us-east-1')),
      AWS_ACCESS_KEY_ID: required(),
      AWS_SECRET_ACCESS_KEY: required(),
      AWS_SESSION_TOKEN: optional(),
      DYNAMODB_TABLE: v.pipe(required(), v.regex(/^[\w.-]{3,255}$/, 'must be a table name')),
      DYNAMODB_ENDPOINT: v.optional(httpOrigin()),
    }),
    v.transform((env) => ({
      region: env.AWS_REGION,
      accessKeyId: env.AWS_ACCESS_KEY_ID,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
      sessionToken: env.AWS_SESSION_TOKEN,
      table: env.DYNAMODB_TABLE,
      endpoint: env.DYNAMODB_ENDPOINT ?? regionalEndpoint(env.AWS_REGION),
    })),
  )
}
