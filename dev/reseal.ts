import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  paginateScan,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { TokenName } from '../src/broker/ports.ts'
import { type SealingKey, sealedBy, sealingVault } from '../src/crypto/sealing.ts'
import { Problem } from '../src/problem.ts'
import { hasLapsed, type Item, TOKEN_NAMES, unchanged } from './reseal-condition.ts'

const PK_PREFIX = 'connection#'
const PAGE = 100
const ATTEMPTS = 8
const PAUSE_MS = 250

export interface ResealTally {
  /** Sealed anew, or to be in a dry run. */
  resealed: number
  /** Sealed by the first key already, or holding no token. */
  inOrder: number
  /** Being refreshed all the while. */
  busy: number
  unreadable: number
  /** Of all these, those whose last refresh was cut short: a pair may be parked for them, sealed by an older key. */
  cutShort: number
}
type Outcome = Exclude<keyof ResealTally, 'cutShort'>

interface ResealOptions {
  client: DynamoDBClient
  table: string
  /** The first one seals. */
  keys: readonly SealingKey[]
  dryRun: boolean
  now(): number
  sleep(milliseconds: number): Promise<unknown>
  /** After each page of the table. */
  onProgress(tally: Readonly<ResealTally>): void
  onUnreadable(companyKey: string, name: TokenName, reason: string): void
  onCutShort(companyKey: string): void
}

const text = (item: Item, name: string) => item[name]?.S || undefined

/**
 * Seals every token of a table with the first key, while the Worker goes on. Each record is written on condition that it
 * is as it was read, and read again where it is not.
 */
export const reseal = async (options: ResealOptions): Promise<ResealTally> => {
  const { client, table, keys, dryRun, now, sleep, onProgress, onUnreadable, onCutShort } = options
  const [first] = keys
  const vault = sealingVault(
    () => keys,
    () => undefined,
  )

  /** The tokens of a record that the first key has not sealed, sealed by it; a hash where there is none. */
  const sealedAnew = async (item: Item, companyKey: string) => {
    const values: Item = {}
    let unreadable = false
    for (const name of TOKEN_NAMES) {
      const stored = text(item, name)
      if (stored === undefined) continue
      try {
        const token = await vault.open(companyKey, name, stored)
        if (sealedBy(stored) === first?.kid) continue
        values[name] = { S: await vault.seal(companyKey, name, token) }
        const lacksHash = name === 'refresh_token' && !item['refresh_token_hash']
        if (lacksHash) values['refresh_token_hash'] = { S: await vault.digest(token) }
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        onUnreadable(companyKey, name, error.message)
        unreadable = true
      }
    }
    return { values, unreadable }
  }

  /** `false`: the record has changed since it was read. */
  const write = async (item: Item, values: Item): Promise<boolean> => {
    const { condition, values: was } = unchanged(item, now())
    const set = Object.keys(values).map((name) => `${name} = :${name}`)
    const sealed = Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value]))
    const update = new UpdateItemCommand({
      TableName: table,
      Key: { pk: item['pk'] ?? { S: '' } },
      UpdateExpression: `SET ${set.join(', ')}`,
      ConditionExpression: condition,
      ExpressionAttributeValues: { ...sealed, ...was },
    })
    return client.send(update).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ConditionalCheckFailedException) return false
        throw error
      },
    )
  }

  const readAgain = async (item: Item) => {
    const key = { pk: item['pk'] ?? { S: '' } }
    return (await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }))).Item
  }

  const resealRecord = async (scanned: Item, companyKey: string): Promise<Outcome> => {
    let item: Item | undefined = scanned
    for (let attempt = 0; item && attempt < ATTEMPTS; attempt++) {
      const { values, unreadable } = await sealedAnew(item, companyKey)
      const isInOrder = Object.keys(values).length === 0
      if (isInOrder || dryRun || (await write(item, values))) {
        if (unreadable) return 'unreadable'
        return isInOrder ? 'inOrder' : 'resealed'
      }
      await sleep(PAUSE_MS * (attempt + 1))
      item = await readAgain(item)
    }
    return item ? 'busy' : 'inOrder'
  }

  const tally: ResealTally = { resealed: 0, inOrder: 0, busy: 0, unreadable: 0, cutShort: 0 }
  const scan = {
    TableName: table,
    ConsistentRead: true,
    FilterExpression: 'begins_with(pk, :prefix)',
    ExpressionAttributeValues: { ':prefix': { S: PK_PREFIX } },
    ProjectionExpression: ['pk', 'generation', 'refresh_token_hash', 'lease_until', ...TOKEN_NAMES].join(', '),
  }
  for await (const { Items: items = [] } of paginateScan({ client, pageSize: PAGE }, scan)) {
    for (const item of items) {
      const companyKey = (text(item, 'pk') ?? '').slice(PK_PREFIX.length)
      tally[await resealRecord(item, companyKey)]++
      if (!hasLapsed(item, now())) continue
      tally.cutShort++
      onCutShort(companyKey)
    }
    onProgress(tally)
  }
  return tally
}
