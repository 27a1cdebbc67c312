import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { assigned, assignments, attributes, flag, integer, text } from '../../src/storage/attribute-values.ts'
import { parseConnection } from '../../src/storage/connection-item.ts'
import { NEVER_CONNECTED } from '../../src/storage/connection-store.ts'
import { fleetAttributes } from '../../src/storage/fleet-keys.ts'
import type { Outcome } from './tally.ts'

type Item = Record<string, AttributeValue>

/** What becomes of a record that is to be imported: `kept` says why. */
export interface Imported {
  outcome: Extract<Outcome, 'imported' | 'unchanged' | 'completed' | 'kept'>
  reason?: string
}

/** The table that records are imported into. */
export interface Target {
  name: string
  put(item: Item): Promise<Imported>
}

const isTaken = (stored: Item) => {
  const { realmId, accessToken, refreshToken, generation } = parseConnection(stored, '')
  return realmId !== undefined || accessToken !== undefined || refreshToken !== undefined || generation !== 0
}

/** What a target needs of its table. `digest` is SHA-256, hexadecimal. */
interface TargetTable {
  client: DynamoDBClient
  table: string
  region: string
  digest: (token: string) => Promise<string>
}

/** Whether both hold the same refresh token. A record written by hand has no hash; its token is plain. */
const isSame = async (stored: Item, item: Item, digest: TargetTable['digest']) => {
  const token = text(stored, 'refresh_token')
  if (token === undefined) return false
  return (text(stored, 'refresh_token_hash') ?? (await digest(token))) === text(item, 'refresh_token_hash')
}

/** What an import does where `stored` is: never anything to a newer generation, other tokens, or a disconnected record. */
const judge = async (stored: Item | undefined, item: Item, digest: TargetTable['digest']): Promise<Imported> => {
  if (!stored || !isTaken(stored)) return { outcome: 'imported' }
  if (!(await isSame(stored, item, digest))) {
    const reason = text(stored, 'refresh_token')
      ? 'is connected with other tokens'
      : 'was disconnected, or is not whole'
    return { outcome: 'kept', reason }
  }
  const isWhole = text(stored, 'fleet_shard') !== undefined && text(stored, 'refresh_token_hash') !== undefined
  return { outcome: isWhole ? 'unchanged' : 'completed' }
}

type PutCondition = Pick<PutItemCommandInput, 'ConditionExpression' | 'ExpressionAttributeValues'>

const ABSENT: PutCondition = { ConditionExpression: 'attribute_not_exists(pk)' }
const UNFINISHED: PutCondition = {
  ConditionExpression: NEVER_CONNECTED.expression,
  ExpressionAttributeValues: NEVER_CONNECTED.values,
}

const refusesCondition = (error: unknown) => error instanceof ConditionalCheckFailedException

/** Attributes that a record written by hand lacks, from what it holds. */
const lacking = (stored: Item, item: Item) => ({
  refresh_token_hash: text(item, 'refresh_token_hash'),
  company_key: text(item, 'company_key'),
  uses_sandbox_credentials: flag(stored, 'uses_sandbox_credentials') ?? flag(item, 'uses_sandbox_credentials'),
  ...fleetAttributes({
    companyKey: text(item, 'company_key') ?? '',
    holdsRefreshToken: true,
    refreshTokenExpiresAt: integer(stored, 'refresh_token_expires_at'),
    refreshTokenHardExpiresAt: integer(stored, 'refresh_token_hard_expires_at'),
  }),
})

const reader =
  ({ client, table }: TargetTable) =>
  async (item: Item) => {
    const Key = { pk: item['pk'] ?? { S: '' } }
    return (await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item
  }

const nameOf = ({ table, region }: TargetTable) => `the table ${table} of ${region}`

/** Says what would be done, and does nothing. */
export const dryTarget = (at: TargetTable): Target => {
  const read = reader(at)
  return { name: nameOf(at), put: async (item) => judge(await read(item), item, at.digest) }
}

/** Writes, each record under a condition, so that nothing that came meanwhile is overwritten and a repetition changes nothing. */
export const writingTarget = (at: TargetTable): Target => {
  const { client, table } = at
  const read = reader(at)

  const putIf = async (item: Item, condition: PutCondition): Promise<boolean> => {
    try {
      await client.send(new PutItemCommand({ TableName: table, Item: item, ...condition }))
      return true
    } catch (error) {
      if (refusesCondition(error)) return false
      throw error
    }
  }

  const complete = async (stored: Item, item: Item): Promise<void> => {
    const values = lacking(stored, item)
    await client
      .send(
        new UpdateItemCommand({
          TableName: table,
          Key: { pk: item['pk'] ?? { S: '' } },
          UpdateExpression: `SET ${assignments(values)}`,
          ConditionExpression: 'refresh_token = :stored AND attribute_not_exists(lease_owner)',
          ExpressionAttributeValues: {
            ...assigned(values),
            ...attributes({ ':stored': text(stored, 'refresh_token') }),
          },
        }),
      )
      // The Worker has it in hand, and its write completes the record as well.
      .catch((error: unknown) => {
        if (!refusesCondition(error)) throw error
      })
  }

  return {
    name: nameOf(at),
    async put(item) {
      if (await putIf(item, ABSENT)) return { outcome: 'imported' }
      const stored = await read(item)
      const judged = await judge(stored, item, at.digest)
      if (stored && judged.outcome === 'completed') await complete(stored, item)
      const overwrites = judged.outcome === 'imported'
      if (overwrites && !(await putIf(item, UNFINISHED)))
        return { outcome: 'kept', reason: 'is being connected right now' }
      return judged
    },
  }
}
