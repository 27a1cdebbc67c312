import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type TableDescription,
} from '@aws-sdk/client-dynamodb'
import { fleetIndexOf, hasOurKey, TTL_ATTRIBUTE } from '../table-definition.ts'
import { type Check, findings } from './check.ts'

const isNamed = (error: unknown, ...names: string[]) => error instanceof Error && names.includes(error.name)

/** What an engine does not know, and what these credentials may not ask, is no fault of the table. */
const orSkip = async (check: string, look: () => Promise<Check>): Promise<Check> => {
  const { skip, fail } = findings(check)
  try {
    return await look()
  } catch (error) {
    if (isNamed(error, 'UnknownOperationException')) return skip('this engine has none')
    if (isNamed(error, 'AccessDeniedException')) {
      return skip(
        "these credentials may not ask, as the Worker's should not",
        'Run this with --profile and an operator’s.',
      )
    }
    return fail(
      error instanceof Error ? error.name : 'the request failed',
      'Look at the name of the table and the region.',
    )
  }
}

const keyCheck = (table: TableDescription): Check => {
  const { ok, fail } = findings('table key')
  return hasOurKey(table)
    ? ok('partition key pk (S), no sort key')
    : fail(
        'the table has another key',
        'Make a new table and import the records (npm run import): a key cannot be changed.',
      )
}

const billingCheck = (table: TableDescription): Check => {
  const { ok, warn } = findings('billing')
  return table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST'
    ? ok('on demand')
    : warn('the table has provisioned capacity', 'Switch it to on demand, or watch for throttling.')
}

const protectionCheck = (table: TableDescription): Check => {
  const { ok, warn } = findings('deletion protection')
  const command = `aws dynamodb update-table --table-name ${table.TableName} --deletion-protection-enabled`
  return table.DeletionProtectionEnabled ? ok('on') : warn('off: one command deletes every connection', command)
}

const indexCheck = (table: TableDescription): Check => {
  const { ok, warn, fail } = findings('fleet index')
  switch (fleetIndexOf(table)) {
    case 'ready':
      return ok('as it must be')
    case 'being built':
      return warn('DynamoDB is still building it', 'Wait, and run this again.')
    case 'another':
      return fail(
        'the index fleet has another key or shows other attributes',
        'Delete the index, then npm run table:create.',
      )
    case 'absent':
      return warn(
        'there is no index fleet: connections cannot be listed or kept alive',
        'npm run table:create adds it.',
      )
  }
}

const ttlCheck = (client: DynamoDBClient, table: string) =>
  orSkip('expiry (TTL)', async () => {
    const { ok, warn, fail } = findings('expiry (TTL)')
    const { TimeToLiveDescription: ttl } = await client.send(new DescribeTimeToLiveCommand({ TableName: table }))
    const isOn = ttl?.TimeToLiveStatus === 'ENABLED' || ttl?.TimeToLiveStatus === 'ENABLING'
    if (isOn && ttl.AttributeName === TTL_ATTRIBUTE) return ok(`by ${TTL_ATTRIBUTE}`)
    return isOn
      ? fail(`by ${ttl.AttributeName}`, `Turn it off, then npm run table:create: it must be by ${TTL_ATTRIBUTE}.`)
      : warn('off: spent states and unfinished connections stay for ever', 'npm run table:create turns it on.')
  })

const backupCheck = (client: DynamoDBClient, table: string) =>
  orSkip('point-in-time backup', async () => {
    const { ok, warn } = findings('point-in-time backup')
    const answer = await client.send(new DescribeContinuousBackupsCommand({ TableName: table }))
    const status = answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus
    if (status === 'ENABLED') return ok('on')
    const command = `aws dynamodb update-continuous-backups --table-name ${table} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`
    return warn('off: deleted records are gone', command)
  })

/** Looks at the table as an operator may. Reads its description, and no record. */
export const checkTable = async (client: DynamoDBClient, table: string): Promise<Check[]> => {
  let described: TableDescription | undefined
  const found = await orSkip('table', async () => {
    described = (await client.send(new DescribeTableCommand({ TableName: table }))).Table
    const { ok, warn } = findings('table')
    const status = described?.TableStatus ?? 'unknown'
    return status === 'ACTIVE' ? ok(`${table} is there`) : warn(`${table} is ${status}`, 'Wait, and run this again.')
  })
  if (!described) return [found]
  return [
    found,
    keyCheck(described),
    indexCheck(described),
    await ttlCheck(client, table),
    await backupCheck(client, table),
    protectionCheck(described),
    billingCheck(described),
  ]
}
