import type { CreateTableCommandInput, GlobalSecondaryIndex, TableDescription } from '@aws-sdk/client-dynamodb'

/** The TTL attribute, in epoch seconds. DynamoDB deletes a record within days after it. */
export const TTL_ATTRIBUTE = 'expires_at'
/** The name of the index that lists connections. */
export const FLEET_INDEX = 'fleet'

/**
 * The attributes of a listed connection. None is secret. An index can have 20 of these and cannot be extended later. Without
 * `lease_until`: each lease would cause a write to the index.
 */
const PROJECTED = [
  'company_key',
  'company_name',
  'realm_id',
  'uses_sandbox_credentials',
  'generation',
  'access_token_expires_at',
  'refresh_token_expires_at',
  'refresh_token_hard_expires_at',
  'created_at',
  'updated_at',
  'last_refresh_at',
  'failure_code',
  'failure_tid',
  'failure_count',
  'failure_since',
  'failed_at',
  'retry_at',
  'expires_at',
  'alerted',
]

/** The connections of each shard, soonest to expire first. `src/storage/fleet-keys.ts` sets its attributes. */
export const FLEET_INDEX_DEFINITION = {
  IndexName: FLEET_INDEX,
  KeySchema: [
    { AttributeName: 'fleet_shard', KeyType: 'HASH' },
    { AttributeName: 'dies_at', KeyType: 'RANGE' },
  ],
  Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: PROJECTED },
} satisfies GlobalSecondaryIndex

/** Defines the table. `infra/table.yaml` is the same definition for CloudFormation. */
export const createTableDefinition = (table: string) =>
  ({
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'fleet_shard', AttributeType: 'S' },
      { AttributeName: 'dies_at', AttributeType: 'N' },
    ],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    GlobalSecondaryIndexes: [FLEET_INDEX_DEFINITION],
  }) satisfies CreateTableCommandInput

const findType = (table: TableDescription, name: string) =>
  table.AttributeDefinitions?.find(({ AttributeName }) => AttributeName === name)?.AttributeType

const parseKey = (table: TableDescription, schema: TableDescription['KeySchema']) =>
  (schema ?? []).map(
    ({ AttributeName = '', KeyType }) => `${AttributeName} ${KeyType} ${findType(table, AttributeName)}`,
  )

const isSame = (left: string[], right: string[]) => left.join() === right.join()

/** Whether a table has the partition key `pk` (S) and no sort key. */
export const hasOurKey = (table: TableDescription): boolean => isSame(parseKey(table, table.KeySchema), ['pk HASH S'])

/** Finds the state of the fleet index. `mismatch`: an index with that name has another key or other attributes. */
export const findFleetIndex = (table: TableDescription): 'ready' | 'building' | 'mismatch' | 'absent' => {
  const index = table.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === FLEET_INDEX)
  if (!index) return 'absent'
  const projected = new Set(index.Projection?.NonKeyAttributes)
  const projectsAll = index.Projection?.ProjectionType === 'INCLUDE' && PROJECTED.every((name) => projected.has(name))
  const isOurs = isSame(parseKey(table, index.KeySchema), ['fleet_shard HASH S', 'dies_at RANGE N']) && projectsAll
  if (!isOurs) return 'mismatch'
  return index.IndexStatus === 'ACTIVE' ? 'ready' : 'building'
}
