import { afterAll, beforeAll, expect, it } from 'vitest'
import { FLEET_SHARDS, toFleetShard, UNFINISHED } from '../../src/storage/fleet-keys.ts'
import { type Service, startService } from '../support/worker-harness.ts'
import { createAgedConnections } from './aged-connections.ts'

/** More than the 8,000 records that a run with CRON_CALLS=40 reads. */
const FLOOD = 9_000
const AT_ONCE = 100
const LAST_SHARD = FLEET_SHARDS.at(-1)

let service: Service
beforeAll(async () => {
  service = await startService({ vars: { DYNAMODB_FLEET_INDEX: 'fleet' } })
})
afterAll(() => service.close())

const nextKeys = function* (prefix: string, isWanted: (shard: string) => boolean) {
  for (let number = 0; ; number++) if (isWanted(toFleetShard(`${prefix}-${number}`))) yield `${prefix}-${number}`
}

/** What so many starts leave that nobody finished, in the shards before the last one. */
const flood = async (count: number) => {
  const keys = nextKeys('begun', (shard) => shard !== LAST_SHARD)
  const now = Math.floor(Date.now() / 1000)
  for (let written = 0; written < count; written += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, () => keys.next().value ?? '')
    await Promise.all(
      batch.map((key) =>
        service.dynamo.put({
          ...{ pk: { S: `connection#${key}` }, company_key: { S: key }, company_name: { S: key } },
          ...{ fleet_shard: { S: toFleetShard(key) }, dies_at: { N: String(UNFINISHED) }, generation: { N: '0' } },
          expires_at: { N: String(now + 86_400) },
        }),
      ),
    )
  }
}

it('a connection is refreshed by the next run of the cron, however many starts nobody finished', async () => {
  const made = createAgedConnections(service)
  const key = nextKeys('late', (shard) => shard === LAST_SHARD).next().value ?? ''
  expect((await service.connect(key)).status).toBe(200)
  await made.idle(key, 20)
  await flood(FLOOD)
  await service.scheduled()
  expect((await made.item(key))['generation']).toEqual({ N: '2' })
}, 120_000)
