import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type Env, readTextVariables } from '../../src/config/variables.ts'
import type { DynamoDbHttpRuntime } from '../../src/storage/dynamodb-http.ts'
import { type Check, findings } from './check.ts'
import { checkConfiguration } from './configuration.ts'
import { checkRequests } from './request.ts'
import { checkTable } from './table.ts'
import { checkWorkerSecrets, type ListSecrets } from './worker-secrets.ts'

export interface DiagnoseParts {
  /** Every variable as the Worker would find it, unknown ones included. */
  env: Env
  /** Names of the plain variables of `wrangler.toml`. */
  plain: string[]
  /** Of the operator, for what the Worker may not ask. */
  client: DynamoDBClient
  runtime: DynamoDbHttpRuntime
  /** `undefined` leaves the deployed Worker out. */
  listSecrets: ListSecrets | undefined
}

/** Every check, in the order in which faults follow from each other. Writes nothing anywhere. */
export const diagnose = async (parts: DiagnoseParts): Promise<Check[]> => {
  const { env, plain, client, runtime, listSecrets } = parts
  const variables = readTextVariables(env)
  const configuration = checkConfiguration(env, variables)
  const mayAsk = configuration.every(({ check, status }) => check !== 'table and credentials' || status !== 'fail')
  const asked = mayAsk
    ? await checkRequests(variables, runtime)
    : [findings('signed request').skip('not tried before the above is right')]
  const isReached = asked.some(({ detail }) => detail.includes('could not be reached')) === false
  const described = mayAsk && isReached ? await checkTable(client, variables['DYNAMODB_TABLE'] ?? '') : []
  const deployed = listSecrets ? [await checkWorkerSecrets(variables, plain, listSecrets)] : []
  return [...configuration, ...asked, ...described, ...deployed]
}
