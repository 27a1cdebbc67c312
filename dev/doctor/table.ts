import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type TableDescription,
} from '@aws-sdk/client-dynamodb'
import { findFleetIndex, hasOurKey, TTL_ATTRIBUTE } from '../table-definition.ts'
import { type Check, createResults } from './check.ts'

const isNamed = (error: unknown, ...names: string[]) => error instanceof Error && names.includes(error.name)

/** Runs a check. Skips it if the engine or the credentials do not support it. */
const runCheck = async (check: string, run: () => Promise<Check>): Promise<Check> => {
  const { skip, fail } = createResults(check)
  try {
    return await run()
  } catch (error) {
    if (isNamed(error, 'UnknownOperationException')) return skip('not supported by this engine')
    if (isNamed(error, 'AccessDeniedException')) {
      return skip(
        "not allowed for these credentials, and the Worker's should not be allowed",
        'Run this with --profile and an operator’s profile.',
      )
    }
    return fail(
      error instanceof Error ? error.name : 'the request failed',
      'Check the name of the table and the region.',
    )
  }
}

const checkKey = (table: TableDescription): Check => {
  const { ok, fail } = createResults('table key')
  return hasOurKey(table)
    ? ok('partition key pk (S), no sort key')
    : fail(
        'the table has another key',
        'Create a new table and import the records (npm run import): the key of a table cannot be changed.',
      )
}

const checkBilling = (table: TableDescription): Check => {
  const { ok, warn } = createResults('billing')
  return table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST'
    ? ok('on demand')
    : warn('the table has provisioned capacity', 'Switch to on demand, or watch for throttling.')
}

const checkProtection = (table: TableDescription): Check => {
  const { ok, warn } = createResults('deletion protection')
  const command = `aws dynamodb update-table --table-name ${table.TableName} --deletion-protection-enabled`
  return table.DeletionProtectionEnabled ? ok('on') : warn('off: one command deletes every connection', command)
}

const checkIndex = (table: TableDescription): Check => {
  const { ok, warn, fail } = createResults('fleet index')
  switch (findFleetIndex(table)) {
    case 'ready':
      return ok('ready')
    case 'building':
      return warn('DynamoDB is still building it', 'Wait, then run this again.')
    case 'mismatch':
      return fail('the index fleet has another key or other attributes', 'Delete the index, then npm run table:create.')
    case 'absent':
      return warn(
        'no index fleet: connections cannot be listed or refreshed while idle',
        'npm run table:create adds it.',
      )
  }
}

const checkTtl = (client: DynamoDBClient, table: string) =>
  runCheck('expiry (TTL)', async () => {
    const { ok, warn, fail } = createResults('expiry (TTL)')
    const { TimeToLiveDescription: ttl } = await client.send(new DescribeTimeToLiveCommand({ TableName: table }))
    const isOn = ttl?.TimeToLiveStatus === 'ENABLED' || ttl?.TimeToLiveStatus === 'ENABLING'
    if (isOn && ttl.AttributeName === TTL_ATTRIBUTE) return ok(`by ${TTL_ATTRIBUTE}`)
    return isOn
      ? fail(`by ${ttl.AttributeName}`, `Turn it off, then run npm run table:create. It must be by ${TTL_ATTRIBUTE}.`)
      : warn('off: used states and unfinished connections are never deleted', 'npm run table:create turns it on.')
  })

const checkBackup = (client: DynamoDBClient, table: string) =>
  runCheck('point-in-time backup', async () => {
    const { ok, warn } = createResults('point-in-time backup')
    const answer = await client.send(new DescribeContinuousBackupsCommand({ TableName: table }))
    const status = answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus
    if (status === 'ENABLED') return ok('on')
    const command = `aws dynamodb update-continuous-backups --table-name ${table} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`
    return warn('off: deleted records cannot be restored', command)
  })

/** Checks the table with an operator's client. Reads its description, not its records. */
export const checkTable = async (client: DynamoDBClient, table: string): Promise<Check[]> => {
  let described: TableDescription | undefined
  const found = await runCheck('table', async () => {
    described = (await client.send(new DescribeTableCommand({ TableName: table }))).Table
    const { ok, warn } = createResults('table')
    const status = described?.TableStatus ?? 'unknown'
    return status === 'ACTIVE' ? ok(`${table} exists`) : warn(`${table} is ${status}`, 'Wait, then run this again.')
  })
  if (!described) return [found]
  return [
    found,
    checkKey(described),
    checkIndex(described),
    await checkTtl(client, table),
    await checkBackup(client, table),
    checkProtection(described),
    checkBilling(described),
  ]
}
