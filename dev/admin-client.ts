import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { regionalEndpoint } from '../src/config/aws-regions.ts'
import { fail } from './arguments.ts'
import type { Variables } from './environment.ts'

const REQUIRED = ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'DYNAMODB_TABLE'] as const
const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 10_000 }

/**
 * The Worker's endpoint. Without it, settings of the machine (`AWS_ENDPOINT_URL`, FIPS or dual-stack endpoints) could send
 * the operator's client to another table.
 */
const toEndpoint = ({ DYNAMODB_ENDPOINT, AWS_REGION }: Variables) => {
  const endpoint = DYNAMODB_ENDPOINT || (AWS_REGION && regionalEndpoint(AWS_REGION))
  return endpoint ? { endpoint, useFipsEndpoint: false, useDualstackEndpoint: false } : {}
}

/** Creates an AWS SDK client for operators, with a profile of `~/.aws` or the key in the variables. */
export const createAdminClient = (variables: Variables, profile?: string): DynamoDBClient => {
  const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = variables
  return new DynamoDBClient({
    ...(AWS_REGION ? { region: AWS_REGION } : {}),
    ...toEndpoint(variables),
    ...(profile
      ? { profile }
      : {
          credentials: {
            accessKeyId: AWS_ACCESS_KEY_ID ?? '',
            secretAccessKey: AWS_SECRET_ACCESS_KEY ?? '',
            ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
          },
        }),
    requestHandler: TIMEOUTS,
  })
}

/** Creates the client for the table in the variables. Ends the command if a variable is missing. */
export const openTable = (variables: Variables, profile?: string): { client: DynamoDBClient; table: string } => {
  const fromProfile = (name: string) => profile !== undefined && name.includes('ACCESS_KEY')
  const missing = REQUIRED.filter((name) => !variables[name] && !fromProfile(name))
  if (missing.length > 0) fail(`Set ${missing.join(', ')} in the environment.`)
  return { client: createAdminClient(variables, profile), table: variables['DYNAMODB_TABLE'] ?? '' }
}
