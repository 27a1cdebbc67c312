import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { readFlag, readText, toAssignedValues, toAssignments } from '../../src/storage/attribute-values.ts'
import { all, type Condition, isAbsent, isNoText, isSameText } from '../../src/storage/conditions.ts'
import { parseConnection } from '../../src/storage/connection-item.ts'
import { NEVER_CONNECTED } from '../../src/storage/connection-store.ts'
import { toFleetAttributes } from '../../src/storage/fleet-keys.ts'
import type { Outcome } from './tally.ts'

type Item = Record<string, AttributeValue>

/** The result for one record. `kept` has a reason. */
export interface Imported {
  outcome: Extract<Outcome, 'imported' | 'unchanged' | 'completed' | 'kept'>
  reason?: string
}

/** The table that records are imported into. */
export interface Target {
  name: string
  put(item: Item): Promise<Imported>
}

/** `digest` is SHA-256, hexadecimal. */
interface TargetTable {
  client: DynamoDBClient
  table: string
  region: string
  digest: (token: string) => Promise<string>
}

const wasConnected = (stored: Item) => {
  const { realmId, accessToken, refreshToken, generation } = parseConnection(stored, '')
  return realmId !== undefined || accessToken !== undefined || refreshToken !== undefined || generation !== 0
}

/** Whether both records have the same refresh token. A record written by hand has a plain token and no hash. */
const hasSameToken = async (stored: Item, item: Item, digest: TargetTable['digest']) => {
  const token = readText(stored, 'refresh_token')
  if (token === undefined) return false
  return (readText(stored, 'refresh_token_hash') ?? (await digest(token))) === readText(item, 'refresh_token_hash')
}

/** Decides what to do. A newer generation, other tokens and a disconnected record are never changed. */
const planImport = async (stored: Item | undefined, item: Item, digest: TargetTable['digest']): Promise<Imported> => {
  if (!stored || !wasConnected(stored)) return { outcome: 'imported' }
  if (!(await hasSameToken(stored, item, digest))) {
    const reason = readText(stored, 'refresh_token')
      ? 'is connected with other tokens'
      : 'is disconnected or incomplete'
    return { outcome: 'kept', reason }
  }
  const isComplete =
    readText(stored, 'fleet_shard') !== undefined && readText(stored, 'refresh_token_hash') !== undefined
  return { outcome: isComplete ? 'unchanged' : 'completed' }
}

/** The attributes that a record written by hand lacks. */
const toMissingAttributes = (stored: Item, item: Item) => {
  const companyKey = readText(item, 'company_key') ?? ''
  const { refreshTokenExpiresAt, refreshTokenHardExpiresAt } = parseConnection(stored, companyKey)
  return {
    refresh_token_hash: readText(item, 'refresh_token_hash'),
    company_key: companyKey,
    uses_sandbox_credentials:
      readFlag(stored, 'uses_sandbox_credentials') ?? readFlag(item, 'uses_sandbox_credentials'),
    ...toFleetAttributes({ companyKey, holdsRefreshToken: true, refreshTokenExpiresAt, refreshTokenHardExpiresAt }),
  }
}

const toKey = (item: Item) => ({ pk: item['pk'] ?? { S: '' } })

const readRecord = async ({ client, table }: TargetTable, item: Item): Promise<Item | undefined> =>
  (await client.send(new GetItemCommand({ TableName: table, Key: toKey(item), ConsistentRead: true }))).Item

/** Runs a conditional write. `false`: DynamoDB refused the condition. */
const tryWrite = async (write: () => Promise<unknown>): Promise<boolean> => {
  try {
    await write()
    return true
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false
    throw error
  }
}

const putIf = ({ client, table }: TargetTable, item: Item, { expression, values }: Condition) =>
  tryWrite(() =>
    client.send(
      new PutItemCommand({
        ...{ TableName: table, Item: item, ConditionExpression: expression },
        ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: values } : {}),
      }),
    ),
  )

/** Adds the missing attributes, unless a refresh uses the token: it knows a token without a hash by the token itself. */
const completeRecord = ({ client, table }: TargetTable, stored: Item, item: Item) => {
  const values = toMissingAttributes(stored, item)
  const unused = all(isSameText('refresh_token', readText(stored, 'refresh_token')), isNoText('lease_owner'))
  return tryWrite(() =>
    client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: toKey(item),
        UpdateExpression: `SET ${toAssignments(values)}`,
        ConditionExpression: unused.expression,
        ExpressionAttributeValues: { ...toAssignedValues(values), ...unused.values },
      }),
    ),
  )
}

const toName = ({ table, region }: TargetTable) => `the table ${table} of ${region}`

/** A target for dry runs: reports what an import would do, and writes nothing. */
export const createDryTarget = (table: TargetTable): Target => ({
  name: toName(table),
  put: async (item) => planImport(await readRecord(table, item), item, table.digest),
})

/** A target that writes. Each write has a condition, so that it overwrites no concurrent change and can be repeated. */
export const createWritingTarget = (table: TargetTable): Target => ({
  name: toName(table),
  async put(item) {
    if (await putIf(table, item, isAbsent('pk'))) return { outcome: 'imported' }
    const stored = await readRecord(table, item)
    const planned = await planImport(stored, item, table.digest)
    if (planned.outcome === 'imported' && !(await putIf(table, item, NEVER_CONNECTED))) {
      return { outcome: 'kept', reason: 'is being connected' }
    }
    if (stored && planned.outcome === 'completed' && !(await completeRecord(table, stored, item))) {
      return { outcome: 'kept', reason: 'is being refreshed. Import it again' }
    }
    return planned
  },
})
