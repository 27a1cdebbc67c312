import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { SymmetricKey } from '../../src/crypto/key-ring.ts'
import { hasLapsedLease, type Item, type TokenAttribute } from './condition.ts'
import { type Connections, createConnections, parseCompanyKey } from './connections.ts'
import { createTokenEncryption } from './encrypt-tokens.ts'
import { createPace, isThrottled } from './pace.ts'
import { createTally, type Outcome, type Tally } from './tally.ts'

const ATTEMPTS = 8
const PAUSE_MS = 250
/** After this many failures in a row, the cause is not a single record. */
const MAX_FAILURES_IN_A_ROW = 20
/** Errors that every other record would get as well. */
const FATAL = new Set([
  'AccessDeniedException',
  'ExpiredTokenException',
  'InvalidSignatureException',
  'ResourceNotFoundException',
  'UnrecognizedClientException',
])

interface ReencryptOptions {
  client: DynamoDBClient
  table: string
  /** The first one encrypts. */
  keys: readonly SymmetricKey[]
  dryRun: boolean
  /** Maximum number of records at a time. */
  concurrency: number
  /** After an abort, no other record is started. Those in progress are completed. */
  signal: AbortSignal | undefined
  /** Epoch ms. */
  now(): number
  sleep(milliseconds: number): Promise<unknown>
  /** Called after each record. */
  onProgress(tally: Readonly<Tally>): void
  onUnreadable(companyKey: string, attribute: TokenAttribute, reason: string): void
  onFailed(companyKey: string, errorName: string): void
  onCutShort(companyKey: string): void
}

const toErrorName = (error: unknown) => (error instanceof Error ? error.name : 'unknown error')

/** Re-encrypts one record. Reads it again if it has changed in the meantime. */
const createRecordReencryption = (options: ReencryptOptions, { write, read }: Connections) => {
  const { dryRun, sleep, signal } = options
  const encryptTokens = createTokenEncryption(options.keys, options.onUnreadable)
  return async (scanned: Item, companyKey: string): Promise<Outcome> => {
    let item: Item | undefined = scanned
    for (let attempt = 0; item && attempt < ATTEMPTS && !(attempt > 0 && signal?.aborted); attempt++) {
      const { values, isUnreadable } = await encryptTokens(item, companyKey)
      const isUpToDate = Object.keys(values).length === 0
      if (isUpToDate || dryRun || (await write(item, values))) {
        if (isUnreadable) return 'unreadable'
        return isUpToDate ? 'upToDate' : 'reencrypted'
      }
      await sleep(PAUSE_MS * (attempt + 1))
      item = await read(item)
    }
    return item ? 'busy' : 'upToDate'
  }
}

/** Converts the failure of one record to an outcome. Throws an error that affects all records. */
const createFailureHandling = (options: ReencryptOptions, connections: Connections) => {
  const { signal, onFailed } = options
  const reencryptRecord = createRecordReencryption(options, connections)
  let failuresInARow = 0
  return async (item: Item, companyKey: string): Promise<Outcome> => {
    try {
      const outcome = await reencryptRecord(item, companyKey)
      failuresInARow = 0
      return outcome
    } catch (error) {
      // The abort interrupted this record, which is unchanged. The next run processes it.
      if (signal?.aborted) return 'busy'
      const name = toErrorName(error)
      if (FATAL.has(name) || isThrottled(error) || ++failuresInARow >= MAX_FAILURES_IN_A_ROW) throw error
      onFailed(companyKey, name)
      return 'failed'
    }
  }
}

/**
 * Re-encrypts every token of a table with the first key, while the Worker runs. Writes a record only if it is unchanged, and
 * otherwise reads it again. A record that fails is reported and skipped. Throws an error that all other
 * records would get as well. You can stop and repeat it.
 */
export const reencryptTable = async (options: ReencryptOptions): Promise<Tally> => {
  const { client, table, concurrency, signal, now, sleep, onProgress, onCutShort } = options
  const pace = createPace({ atMost: concurrency, signal, sleep })
  const connections = createConnections({ client, table, pace, now })
  const processRecord = createFailureHandling(options, connections)
  const items = connections.scan()
  const tally = createTally()
  let hasFailed = false

  const work = async () => {
    while (!hasFailed && !signal?.aborted) {
      const { value: item, done } = await items.next()
      if (done || !item) return
      const companyKey = parseCompanyKey(item)
      tally[await processRecord(item, companyKey)]++
      if (hasLapsedLease(item, now())) {
        tally.cutShort++
        onCutShort(companyKey)
      }
      onProgress(tally)
    }
  }
  const workers = Array.from({ length: concurrency }, () =>
    work().catch((error: unknown) => {
      if (signal?.aborted) return
      hasFailed = true
      throw error
    }),
  )
  // Completes the records in progress before it throws the first error.
  await Promise.allSettled(workers)
  await Promise.all(workers)
  return tally
}
