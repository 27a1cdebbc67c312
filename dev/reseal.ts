import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  paginateScan,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { TokenName } from '../src/broker/ports.ts'
import { type SealingKey, sealedBy, sealingVault } from '../src/crypto/sealing.ts'
import { Problem } from '../src/problem.ts'

type Item = Record<string, AttributeValue>

const PK_PREFIX = 'connection#'
const TOKEN_NAMES: readonly TokenName[] = ['access_token', 'refresh_token']
const PAGE = 100
const ATTEMPTS = 8
const PAUSE_MS = 250
/** A holder that outlived its lease has ended by then: it has 25 s, and clocks may be 10 s off. */
const LAPSED_FOR_MS = 60_000

export interface ResealTally {
  /** Sealed anew, or to be in a dry run. */
  resealed: number
  /** Sealed by the first key already, or holding no token. */
  inOrder: number
  /** Being refreshed all the while. */
  busy: number
  unreadable: number
}

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
}

const text = (item: Item, name: string) => item[name]?.S || undefined

/** What the record must still be when it is written: nobody refreshed it, or is at it where only the token itself tells. */
const unchanged = (item: Item, now: number) => {
  const names = ['generation', 'refresh_token_hash', ...TOKEN_NAMES]
  const conditions = names.map((name) => (item[name] ? `${name} = :was_${name}` : `attribute_not_exists(${name})`))
  const values = Object.fromEntries(names.flatMap((name) => (item[name] ? [[`:was_${name}`, item[name]]] : [])))
  if (item['refresh_token_hash']) return { condition: conditions.join(' AND '), values }
  return {
    condition: [...conditions, '(attribute_not_exists(lease_until) OR lease_until < :lapsed)'].join(' AND '),
    values: { ...values, ':lapsed': { N: String(now - LAPSED_FOR_MS) } },
  }
}

/**
 * Seals every token of a table with the first key, while the Worker goes on. Each record is written on condition that it
 * is as it was read, and read again where it is not.
 */
export const reseal = async (options: ResealOptions): Promise<ResealTally> => {
  const { client, table, keys, dryRun, now, sleep, onProgress, onUnreadable } = options
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

  const resealRecord = async (scanned: Item): Promise<keyof ResealTally> => {
    const companyKey = (text(scanned, 'pk') ?? '').slice(PK_PREFIX.length)
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

  const tally: ResealTally = { resealed: 0, inOrder: 0, busy: 0, unreadable: 0 }
  const scan = {
    TableName: table,
    ConsistentRead: true,
    FilterExpression: 'begins_with(pk, :prefix)',
    ExpressionAttributeValues: { ':prefix': { S: PK_PREFIX } },
    ProjectionExpression: ['pk', 'generation', 'refresh_token_hash', ...TOKEN_NAMES].join(', '),
  }
  for await (const { Items: items = [] } of paginateScan({ client, pageSize: PAGE }, scan)) {
    for (const item of items) tally[await resealRecord(item)]++
    onProgress(tally)
  }
  return tally
}
