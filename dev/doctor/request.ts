import { readConfig } from '../../src/config/config.ts'
import { Problem } from '../../src/problem.ts'
import { toAttributes } from '../../src/storage/attribute-values.ts'
import { createDynamoDb, type DynamoDb } from '../../src/storage/dynamodb.ts'
import type { DynamoDbHttpRuntime } from '../../src/storage/dynamodb-http.ts'
import { FLEET_SHARDS } from '../../src/storage/fleet-keys.ts'
import type { Variables } from '../environment.ts'
import { FLEET_INDEX } from '../table-definition.ts'
import { type Check, createResults } from './check.ts'

/** AWS rejects requests whose time is off by more than five minutes. Seconds. */
const MAX_SKEW = 300
const WARNING_SKEW = 30

/** No connection has this key, so the check reads no data. */
const UNUSED_KEY = toAttributes({ pk: 'doctor#nobody' })

const toDetail = (text: string) =>
  text.replace(/^The operator has to configure this deployment: /, '').replace(/\.$/, '')

const formatError = (error: unknown): string => {
  if (error instanceof Problem) return toDetail(error.message)
  return error instanceof Error ? error.message : 'the request failed'
}

const TODO: [RegExp, string][] = [
  [
    /names no table/,
    'Create the table (infra/table.yaml or npm run table:create), or correct DYNAMODB_TABLE and AWS_REGION.',
  ],
  [/may not use/, "Attach the Worker's policy of infra/access.yaml to the user of this key."],
  [
    /not valid|not accepted|does not fit|malformed|Signature/,
    "Create a new access key for the Worker's user, and set both halves.",
  ],
  [/could not be reached/, 'Check AWS_REGION, DYNAMODB_ENDPOINT and the network of this machine.'],
  [/ValidationException/, 'The table has another key: it must have the partition key pk (S) and no sort key.'],
]
const findTodo = (text: string) => TODO.find(([pattern]) => pattern.test(text))?.[1] ?? 'See docs/deploy.md.'

const checkRequest = async (check: string, success: string, request: () => Promise<unknown>): Promise<Check> => {
  const { ok, fail } = createResults(check)
  try {
    await request()
    return ok(success)
  } catch (error) {
    const text = formatError(error)
    return fail(text, findTodo(text))
  }
}

const checkClock = (skew: number | undefined): Check => {
  const { ok, warn, fail, skip } = createResults('clock')
  if (skew === undefined) return skip('no response with a Date header')
  const seconds = Math.round(skew)
  const off = `this machine is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the table's clock`
  if (Math.abs(seconds) > MAX_SKEW)
    return fail(off, 'AWS rejects requests that are off by 5 minutes: set the clock (NTP).')
  if (Math.abs(seconds) > WARNING_SKEW) return warn(off, 'Set the clock of this machine (NTP).')
  return ok('within 30 s of the table’s clock')
}

const checkListing = async (dynamo: DynamoDb, name: string | undefined): Promise<Check> => {
  const check = 'listing'
  const { skip, fail } = createResults(check)
  if (!name)
    return skip('DYNAMODB_FLEET_INDEX is not set: GET /api/connections lists nothing', `Set it to ${FLEET_INDEX}.`)
  if (name !== FLEET_INDEX) return fail(`DYNAMODB_FLEET_INDEX names ${name}`, `The index has the name ${FLEET_INDEX}.`)
  return checkRequest(check, 'the Worker can query the index fleet', () =>
    dynamo.query({
      IndexName: name,
      KeyConditionExpression: 'fleet_shard = :shard',
      ExpressionAttributeValues: toAttributes({ ':shard': FLEET_SHARDS[0] }),
      Limit: 1,
    }),
  )
}

/** Sends requests with the Worker's code and credentials. Reads only. */
export const checkRequests = async (variables: Variables, runtime: DynamoDbHttpRuntime): Promise<Check[]> => {
  let skew: number | undefined
  const fetchAndReadDate: typeof fetch = async (input, init) => {
    const response = await runtime.fetch(input, init)
    const date = Date.parse(response.headers.get('Date') ?? '')
    if (!Number.isNaN(date)) skew = (runtime.now() - date) / 1000
    return response
  }
  const dynamo = createDynamoDb(readConfig(variables).storage, { ...runtime, fetch: fetchAndReadDate })
  const signed = await checkRequest('signed request', "DynamoDB accepts the Worker's credentials", () =>
    dynamo.getItem({ Key: UNUSED_KEY }),
  )
  const clock = checkClock(skew)
  if (signed.status !== 'ok') return [signed, clock]
  return [signed, clock, await checkListing(dynamo, variables['DYNAMODB_FLEET_INDEX'])]
}
