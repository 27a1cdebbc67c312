import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { regionalEndpoint } from '../src/config/aws-regions.ts'
import { fail } from './arguments.ts'
import type { Variables } from './environment.ts'

const NEEDED = ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'DYNAMODB_TABLE'] as const
const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 10_000 }

/**
 * The endpoint that the Worker uses. Without an explicit one, settings of the machine (`AWS_ENDPOINT_URL`, FIPS or
 * dual-stack endpoints) would send the operator's client to another table than the Worker's.
 */
const endpointOf = ({ DYNAMODB_ENDPOINT, AWS_REGION }: Variables) => {
  const endpoint = DYNAMODB_ENDPOINT || (AWS_REGION && regionalEndpoint(AWS_REGION))
  return endpoint ? { endpoint, useFipsEndpoint: false, useDualstackEndpoint: false } : {}
}

/** Amazon's own client, for what an operator does and the Worker may not: with a profile of `~/.aws`, or the variables' own key. */
export const adminClient = (variables: Variables, profile?: string): DynamoDBClient => {
  const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = variables
  return new DynamoDBClient({
    ...(AWS_REGION ? { region: AWS_REGION } : {}),
    ...endpointOf(variables),
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

/** The client and the table that the variables name. Ends the command where one is missing. */
export const tableAccess = (variables: Variables, profile?: string): { client: DynamoDBClient; table: string } => {
  const fromProfile = (name: string) => profile !== undefined && name.includes('ACCESS_KEY')
  const missing = NEEDED.filter((name) => !variables[name] && !fromProfile(name))
  if (missing.length > 0) fail(`Set ${missing.join(', ')} in the environment.`)
  return { client: adminClient(variables, profile), table: variables['DYNAMODB_TABLE'] ?? '' }
}
