import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type Env, readTextVariables } from '../../src/config/variables.ts'
import type { DynamoDbHttpRuntime } from '../../src/storage/dynamodb-http.ts'
import { type Check, createResults } from './check.ts'
import { checkConfiguration } from './configuration.ts'
import { checkRequests } from './request.ts'
import { checkTable } from './table.ts'
import { checkWorkerSecrets, type ListSecrets } from './worker-secrets.ts'

/** What the checks need. */
export interface DiagnoseDeps {
  /** All variables of the Worker's environment, including unknown ones. */
  env: Env
  /** The names of the plain variables of `wrangler.toml`. */
  plain: string[]
  /** The operator's client, for requests that the Worker's key must not make. */
  client: DynamoDBClient
  runtime: DynamoDbHttpRuntime
  /** `undefined` skips the deployed Worker. */
  listSecrets: ListSecrets | undefined
}

/** Runs every check. A fault can cause the faults after it. Writes nothing. */
export const diagnose = async (deps: DiagnoseDeps): Promise<Check[]> => {
  const { env, plain, client, runtime, listSecrets } = deps
  const variables = readTextVariables(env)
  const configuration = checkConfiguration(env, variables)
  const canSend = configuration.every(({ check, status }) => check !== 'table and credentials' || status !== 'fail')
  const requests = canSend
    ? await checkRequests(variables, runtime)
    : [createResults('signed request').skip('needs a valid configuration')]
  const isReached = requests.some(({ detail }) => detail.includes('could not be reached')) === false
  const described = canSend && isReached ? await checkTable(client, variables['DYNAMODB_TABLE'] ?? '') : []
  const deployed = listSecrets ? [await checkWorkerSecrets(variables, plain, listSecrets)] : []
  return [...configuration, ...requests, ...described, ...deployed]
}
