import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import type { StorageSettings } from '../../src/config/config.ts'
import { STORAGE_TIMEOUT_MS } from '../../src/config/dynamodb.ts'

/** Settings for an engine on this machine, which checks no signature. */
export const testStorage = (endpoint: string): StorageSettings => ({
  region: 'us-east-1',
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'test-secret',
  sessionToken: undefined,
  table: 'connections',
  endpoint,
  timeoutMs: STORAGE_TIMEOUT_MS,
})

/** Amazon's own client, for what a test sets up behind the Worker's back. */
export const adminClient = (endpoint: string, options: DynamoDBClientConfig = {}) =>
  new DynamoDBClient({
    ...options,
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'test-secret' },
  })

export const realRuntime = {
  fetch,
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
  random: () => Math.random(),
}
