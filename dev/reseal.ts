import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  ScanCommand,
  type ScanCommandInput,
  type ScanCommandOutput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { TokenName } from '../src/broker/ports/crypto.ts'
import type { SymmetricKey } from '../src/crypto/key-ring.ts'
import { createTokenVault, findEncryptionKeyId } from '../src/crypto/token-vault.ts'
import { Problem } from '../src/problem.ts'
import { hasLapsed, type Item, TOKEN_NAMES, unchanged } from './reseal-condition.ts'
import { createPace, isThrottled, type Pace } from './reseal-pace.ts'

const PK_PREFIX = 'connection#'
const PAGE = 200
const ATTEMPTS = 8
/** So many failures in a row are no matter of a record. */
const FAILED_IN_A_ROW = 20
/** Errors that every other record would meet. */
const HOPELESS = new Set([
  'AccessDeniedException',
  'ExpiredTokenException',
  'InvalidSignatureException',
  'ResourceNotFoundException',
  'UnrecognizedClientException',
])
const PAUSE_MS = 250

export interface ResealTally {
  /** Sealed anew, or to be in a dry run. */
  resealed: number
  /** Sealed by the first key already, or holding no token. */
  inOrder: number
  /** Being refreshed all the while. */
  busy: number
  unreadable: number
  /** Left as it is, as the table refused to read or write it. */
  failed: number
  /** Of all these, those whose last refresh was cut short: a pair may be parked for them, sealed by an older key. */
  cutShort: number
}
type Outcome = Exclude<keyof ResealTally, 'cutShort'>

interface ResealOptions {
  client: DynamoDBClient
  table: string
  /** The first one seals. */
  keys: readonly SymmetricKey[]
  dryRun: boolean
  /** Records in hand at once. */
  concurrency: number
  /** No other record is begun once it is aborted; those in hand are finished. */
  signal: AbortSignal | undefined
  now(): number
  sleep(milliseconds: number): Promise<unknown>
  /** After each record. */
  onProgress(tally: Readonly<ResealTally>): void
  onUnreadable(companyKey: string, name: TokenName, reason: string): void
  onFailed(companyKey: string, errorName: string): void
  onCutShort(companyKey: string): void
}

const text = (item: Item, name: string) => item[name]?.S || undefined
const findCompanyKey = (item: Item) => (text(item, 'pk') ?? '').slice(PK_PREFIX.length)
const errorName = (error: unknown) => (error instanceof Error ? error.name : 'unknown error')

/** The connections of the table. The next page is read while the last one is in hand; one may be empty and not the last. */
async function* connections({ client, table }: ResealOptions, pace: Pace): AsyncGenerator<Item, void> {
  const read = (start: ScanCommandInput['ExclusiveStartKey']): Promise<ScanCommandOutput> => {
    const page = pace.run(() =>
      client.send(
        new ScanCommand({
          ...{ TableName: table, ConsistentRead: true, Limit: PAGE },
          FilterExpression: 'begins_with(pk, :prefix)',
          ExpressionAttributeValues: { ':prefix': { S: PK_PREFIX } },
          ProjectionExpression: ['pk', 'generation', 'refresh_token_hash', 'lease_until', ...TOKEN_NAMES].join(', '),
          ...(start ? { ExclusiveStartKey: start } : {}),
        }),
      ),
    )
    // Nobody may be waiting for it yet when it fails.
    page.catch(() => undefined)
    return page
  }
  for (let page: Promise<ScanCommandOutput> | undefined = read(undefined); page; ) {
    const { Items: items = [], LastEvaluatedKey: lastKey }: ScanCommandOutput = await page
    page = lastKey && read(lastKey)
    yield* items
  }
}

/** The tokens of a record that the first key has not sealed, sealed by it; a hash where there is none. */
const createSealer = ({ keys, onUnreadable }: ResealOptions) => {
  const [first] = keys
  const vault = createTokenVault(
    () => keys,
    () => undefined,
  )
  return async (item: Item, companyKey: string) => {
    const values: Item = {}
    let unreadable = false
    for (const name of TOKEN_NAMES) {
      const stored = text(item, name)
      if (stored === undefined) continue
      try {
        const token = await vault.decrypt(companyKey, name, stored)
        if (findEncryptionKeyId(stored) === first?.kid) continue
        values[name] = { S: await vault.encrypt(companyKey, name, token) }
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
}

/** Reads and writes of one record, at the pace that the table takes. */
const createRecords = ({ client, table, now }: ResealOptions, pace: Pace) => {
  const parseKey = (item: Item) => ({ pk: item['pk'] ?? { S: '' } })
  return {
    /** `false`: the record has changed since it was read. */
    write: async (item: Item, values: Item): Promise<boolean> => {
      const { condition, values: was } = unchanged(item, now())
      const set = Object.keys(values).map((name) => `${name} = :${name}`)
      const sealed = Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value]))
      const update = new UpdateItemCommand({
        TableName: table,
        Key: parseKey(item),
        UpdateExpression: `SET ${set.join(', ')}`,
        ConditionExpression: condition,
        ExpressionAttributeValues: { ...sealed, ...was },
      })
      try {
        await pace.run(() => client.send(update))
        return true
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false
        throw error
      }
    },
    readAgain: async (item: Item) => {
      const get = new GetItemCommand({ TableName: table, Key: parseKey(item), ConsistentRead: true })
      return (await pace.run(() => client.send(get))).Item
    },
  }
}

const createReseal = (options: ResealOptions, pace: Pace) => {
  const { dryRun, sleep, signal } = options
  const sealAnew = createSealer(options)
  const { write, readAgain } = createRecords(options, pace)
  return async (scanned: Item, companyKey: string): Promise<Outcome> => {
    let item: Item | undefined = scanned
    for (let attempt = 0; item && attempt < ATTEMPTS && !(attempt > 0 && signal?.aborted); attempt++) {
      const { values, unreadable } = await sealAnew(item, companyKey)
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
}

/**
 * Seals every token of a table with the first key, while the Worker goes on: a bounded number of records side by side.
 * Each is written on condition that it is as it was read, and read again where it is not. A record that fails is named
 * and passed over. Throws where every other record would fail as well. May be stopped and repeated: what is sealed stays.
 */
export const reseal = async (options: ResealOptions): Promise<ResealTally> => {
  const { concurrency, signal, now, sleep, onProgress, onFailed, onCutShort } = options
  const pace = createPace({ atMost: concurrency, signal, sleep })
  const resealRecord = createReseal(options, pace)
  const tally: ResealTally = { resealed: 0, inOrder: 0, busy: 0, unreadable: 0, failed: 0, cutShort: 0 }
  let failedInARow = 0
  let isOver = false

  const settle = async (item: Item, companyKey: string): Promise<Outcome> => {
    try {
      const outcome = await resealRecord(item, companyKey)
      failedInARow = 0
      return outcome
    } catch (error) {
      // What the stop cut short is as before, and left to the next run.
      if (signal?.aborted) return 'busy'
      if (HOPELESS.has(errorName(error)) || isThrottled(error) || ++failedInARow >= FAILED_IN_A_ROW) throw error
      onFailed(companyKey, errorName(error))
      return 'failed'
    }
  }

  const items = connections(options, pace)
  const work = async () => {
    while (!isOver && !signal?.aborted) {
      const { value: item, done } = await items.next()
      if (done || !item) return
      const companyKey = findCompanyKey(item)
      tally[await settle(item, companyKey)]++
      if (hasLapsed(item, now())) {
        tally.cutShort++
        onCutShort(companyKey)
      }
      onProgress(tally)
    }
  }
  const workers = Array.from({ length: concurrency }, () =>
    work().catch((error: unknown) => {
      if (signal?.aborted) return
      isOver = true
      throw error
    }),
  )
  // Those in hand are finished before the first error is thrown.
  await Promise.allSettled(workers)
  await Promise.all(workers)
  return tally
}
