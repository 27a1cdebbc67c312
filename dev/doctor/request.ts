import { readConfig } from '../../src/config/config.ts'
import { Problem } from '../../src/problem.ts'
import { toAttributes } from '../../src/storage/attribute-values.ts'
import { createDynamoDb, type DynamoDb } from '../../src/storage/dynamodb.ts'
import type { DynamoDbHttpRuntime } from '../../src/storage/dynamodb-http.ts'
import { FLEET_SHARDS } from '../../src/storage/fleet-keys.ts'
import type { Variables } from '../environment.ts'
import { FLEET_INDEX } from '../table-definition.ts'
import { type Check, findings } from './check.ts'

/** AWS refuses a request whose time is more than five minutes off. Seconds. */
const REFUSED_SKEW = 300
const WORRYING_SKEW = 30

/** No connection has this key: nothing is read of anybody. */
const NOBODY = toAttributes({ pk: 'doctor#nobody' })

const sentence = (text: string) =>
  text.replace(/^The operator has to configure this deployment: /, '').replace(/\.$/, '')

const refusal = (error: unknown): string => {
  if (error instanceof Problem) return sentence(error.message)
  return error instanceof Error ? error.message : 'the request failed'
}

const TODO: [RegExp, string][] = [
  [
    /names no table/,
    'Make the table (infra/table.yaml or npm run table:create), or correct DYNAMODB_TABLE and AWS_REGION.',
  ],
  [/may not use/, "Attach the Worker's policy of infra/access.yaml to the user of this key."],
  [
    /not valid|not accepted|does not fit|malformed|Signature/,
    "Make a new access key for the Worker's user, and set both halves.",
  ],
  [/could not be reached/, 'Look at AWS_REGION, DYNAMODB_ENDPOINT and the network of this machine.'],
  [/ValidationException/, 'The table has another key: it must have the partition key pk (S) and no sort key.'],
]
const todoFor = (text: string) => TODO.find(([pattern]) => pattern.test(text))?.[1] ?? 'See docs/deploy.md.'

const ask = async (check: string, said: string, request: () => Promise<unknown>): Promise<Check> => {
  const { ok, fail } = findings(check)
  try {
    await request()
    return ok(said)
  } catch (error) {
    const text = refusal(error)
    return fail(text, todoFor(text))
  }
}

const clockCheck = (skew: number | undefined): Check => {
  const { ok, warn, fail, skip } = findings('clock')
  if (skew === undefined) return skip('no answer with a Date')
  const seconds = Math.round(skew)
  const off = `this machine is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the table's`
  if (Math.abs(seconds) > REFUSED_SKEW)
    return fail(off, 'AWS refuses requests that are 5 minutes off: set the clock (NTP).')
  if (Math.abs(seconds) > WORRYING_SKEW) return warn(off, 'Set the clock of this machine (NTP).')
  return ok('within half a minute of the table’s')
}

const indexCheck = async (dynamo: DynamoDb, name: string | undefined): Promise<Check> => {
  const check = 'listing'
  const { skip, fail } = findings(check)
  if (!name)
    return skip('DYNAMODB_FLEET_INDEX is not set: GET /api/connections lists nothing', `Set it to ${FLEET_INDEX}.`)
  if (name !== FLEET_INDEX) return fail(`DYNAMODB_FLEET_INDEX names ${name}`, `The index is called ${FLEET_INDEX}.`)
  return ask(check, 'the Worker may query the index fleet', () =>
    dynamo.query({
      IndexName: name,
      KeyConditionExpression: 'fleet_shard = :shard',
      ExpressionAttributeValues: toAttributes({ ':shard': FLEET_SHARDS[0] }),
      Limit: 1,
    }),
  )
}

/** Asks the table as the Worker does, with its own code and credentials. Reads only. */
export const checkRequests = async (variables: Variables, runtime: DynamoDbHttpRuntime): Promise<Check[]> => {
  let skew: number | undefined
  const watching: typeof fetch = async (input, init) => {
    const answer = await runtime.fetch(input, init)
    const date = Date.parse(answer.headers.get('Date') ?? '')
    if (!Number.isNaN(date)) skew = (runtime.now() - date) / 1000
    return answer
  }
  const dynamo = createDynamoDb(readConfig(variables).storage, { ...runtime, fetch: watching })
  const signed = await ask('signed request', "DynamoDB accepts the Worker's credentials", () =>
    dynamo.getItem({ Key: NOBODY }),
  )
  const clock = clockCheck(skew)
  if (signed.status !== 'ok') return [signed, clock]
  return [signed, clock, await indexCheck(dynamo, variables['DYNAMODB_FLEET_INDEX'])]
}
