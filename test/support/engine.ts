import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import type { StorageSettings } from '../../src/config/config.ts'
import { STORAGE_TIMEOUT_MS } from '../../src/config/dynamodb.ts'

/** Settings for a local engine, which checks no signatures. */
export const testStorage = (endpoint: string): StorageSettings => ({
  region: 'us-east-1',
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'test-secret',
  sessionToken: undefined,
  table: 'connections',
  endpoint,
  timeoutMs: STORAGE_TIMEOUT_MS,
})

/** A client of the AWS SDK, for what a test reads or writes itself. */
export const adminClient = (endpoint: string, options: DynamoDBClientConfig = {}) =>
  new DynamoDBClient({
    ...options,
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'test-secret' },
  })

/** The clock, sleep, randomness and network of this process. */
export const realRuntime = {
  fetch,
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
  random: () => Math.random(),
}
