import type { CreateTableCommandInput, GlobalSecondaryIndex, TableDescription } from '@aws-sdk/client-dynamodb'

/** DynamoDB deletes a record some time after this attribute's epoch seconds. */
export const TTL_ATTRIBUTE = 'expires_at'
export const FLEET_INDEX = 'fleet'

/**
 * What a list of connections shows, and nothing secret. An index takes 20 such attributes at most and never another one
 * later: there is room for one. `lease_until` is not among them, or every claim would be a write to the index.
 */
const SHOWN = [
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

/** Every connection, next to die first, a shard at a time; its attributes come from `src/storage/fleet-keys.ts`. */
export const createFleetIndex = {
  IndexName: FLEET_INDEX,
  KeySchema: [
    { AttributeName: 'fleet_shard', KeyType: 'HASH' },
    { AttributeName: 'dies_at', KeyType: 'RANGE' },
  ],
  Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: SHOWN },
} satisfies GlobalSecondaryIndex

/** The table of the contract. `infra/table.yaml` says the same to CloudFormation. */
export const tableDefinition = (table: string) =>
  ({
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'fleet_shard', AttributeType: 'S' },
      { AttributeName: 'dies_at', AttributeType: 'N' },
    ],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    GlobalSecondaryIndexes: [createFleetIndex],
  }) satisfies CreateTableCommandInput

const typeOf = (table: TableDescription, name: string) =>
  table.AttributeDefinitions?.find(({ AttributeName }) => AttributeName === name)?.AttributeType

const parseKey = (table: TableDescription, schema: TableDescription['KeySchema']) =>
  (schema ?? []).map(({ AttributeName = '', KeyType }) => `${AttributeName} ${KeyType} ${typeOf(table, AttributeName)}`)

const isSame = (left: string[], right: string[]) => left.join() === right.join()

/** Whether a table has the partition key `pk` (S) and no sort key. */
export const hasOurKey = (table: TableDescription): boolean => isSame(parseKey(table, table.KeySchema), ['pk HASH S'])

/** The fleet index of a table: whether it is there, as it must be, and ready to be read. */
export const fleetIndexOf = (table: TableDescription): 'ready' | 'being built' | 'another' | 'absent' => {
  const index = table.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === FLEET_INDEX)
  if (!index) return 'absent'
  const shown = new Set(index.Projection?.NonKeyAttributes)
  const showsAll = index.Projection?.ProjectionType === 'INCLUDE' && SHOWN.every((name) => shown.has(name))
  const isOurs = isSame(parseKey(table, index.KeySchema), ['fleet_shard HASH S', 'dies_at RANGE N']) && showsAll
  if (!isOurs) return 'another'
  return index.IndexStatus === 'ACTIVE' ? 'ready' : 'being built'
}
