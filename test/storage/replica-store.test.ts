import { describe, expect, it } from 'vitest'
import type { LogEvent } from '../../src/broker/ports/runtime.ts'
import type { CallerLocation } from '../../src/broker/ports/storage.ts'
import type { ReadRegions } from '../../src/config/config.ts'
import { Problem } from '../../src/problem.ts'
import { createReplicaStore } from '../../src/storage/replica-store.ts'
import { testStorage } from '../support/engine.ts'

const START_MS = 1_790_000_000_000
const EUROPE: CallerLocation = { continent: 'EU', longitude: 10 }
const regional = (region: string) => ({ region, endpoint: `https://dynamodb.${region}.amazonaws.com/` })
const IRELAND = regional('eu-west-1')
const CANADA = regional('ca-central-1')
const ITEM = {
  ...{ pk: { S: 'connection#beach' }, company_name: { S: 'Beach' }, access_token: { S: 'a' }, generation: { N: '7' } },
  access_token_expires_at: { N: String(START_MS / 1000 + 3600) },
}
const error = (type: string, status = 400) => Response.json({ __type: `com.amazonaws.dynamodb#${type}` }, { status })

type Answer = (request: Request) => Response | Promise<Response>
const found = () => Response.json({ Item: ITEM })
const failing = () => error('InternalServerError', 500)

/** Replicas on a virtual clock. Home is us-east-1, which nobody asks here. */
const scripted = (regions: ReadRegions = [IRELAND]) => {
  const asked: { region: string; request: Request }[] = []
  const events: LogEvent[] = []
  const clock = { now: START_MS }
  const world: { answer: Answer } = { answer: found }
  const network: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    asked.push({ region: new URL(request.url).hostname.split('.')[1] ?? '', request })
    return world.answer(request)
  }
  const runtime = { fetch: network, now: () => clock.now, random: () => 1, sleep: async () => undefined }
  const config = { storage: () => testStorage('https://home.example'), readRegions: () => regions }
  const { read } = createReplicaStore(config, runtime, (event) => events.push(event))
  return { read: (from = EUROPE) => read('beach', from), asked, events, clock, world }
}
const toRegions = (asked: { region: string }[]) => asked.map(({ region }) => region)

describe('the replicas of a table', () => {
  it('read the nearest one, once and eventually consistent, signed for its region', async () => {
    const { read, asked } = scripted([CANADA, IRELAND])
    expect(await read()).toMatchObject({ companyKey: 'beach', generation: 7 })
    expect(toRegions(asked)).toEqual(['eu-west-1'])
    expect(await asked[0]?.request.json()).toEqual({ TableName: 'connections', Key: { pk: { S: 'connection#beach' } } })
    expect(asked[0]?.request.headers.get('Authorization')).toMatch(/\/eu-west-1\/dynamodb\/aws4_request/)
    await read({ continent: 'NA', longitude: -118 })
    expect(asked).toHaveLength(1)
  })

  it('never include the primary region, even if it is listed', async () => {
    const { read, asked } = scripted([regional('us-east-1'), IRELAND])
    expect(await read({ continent: 'NA', longitude: -74 })).toBeUndefined()
    expect(await read({ continent: 'undefined', longitude: undefined })).toBeUndefined()
    expect(asked).toEqual([])
  })

  const failures: [string, Answer][] = [
    ['is broken', failing],
    ['is out of reach', () => Promise.reject(new TypeError('socket hang up'))],
    ['does not answer in time', () => Promise.reject(new DOMException('timed out', 'TimeoutError'))],
    ['is throttled', () => error('ProvisionedThroughputExceededException')],
    ['may not be read', () => error('AccessDeniedException')],
    ['is not there', () => error('ResourceNotFoundException')],
    ['takes the request for malformed', () => error('ValidationException')],
    ['is something else', () => new Response('<html>')],
  ]
  it.each(failures)('ask one that %s once, and then pass it over for half a minute', async (_, answer) => {
    const { read, asked, clock, world, events } = scripted()
    world.answer = answer
    expect(await read()).toBeUndefined()
    expect(asked).toHaveLength(1)
    expect(events).toEqual([
      { event: 'replica_passed_over', company_key: 'beach', region: 'eu-west-1', code: expect.any(String) },
    ])
    world.answer = found
    clock.now += 29_999
    expect(await read()).toBeUndefined()
    expect(asked).toHaveLength(1)
    clock.now += 1
    expect(await read()).toMatchObject({ generation: 7 })
    expect(await read()).toMatchObject({ generation: 7 })
    expect(asked).toHaveLength(3)
  })

  it('stop waiting after a second', async () => {
    const { read, asked, world } = scripted()
    world.answer = (request) =>
      new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(request.signal.reason)))
    const startedAt = performance.now()
    expect(await read()).toBeUndefined()
    expect(performance.now() - startedAt).toBeGreaterThan(900)
    expect(asked).toHaveLength(1)
  })

  it('take the next nearest meanwhile, if that is still nearer than home', async () => {
    const { read, asked, world } = scripted([IRELAND, regional('il-central-1'), regional('sa-east-1')])
    world.answer = failing
    for (let count = 0; count < 3; count++) await read()
    expect(toRegions(asked)).toEqual(['eu-west-1', 'il-central-1'])
  })

  it('let one request try a replica again, while the others pass it over', async () => {
    const { read, asked, clock, world } = scripted()
    world.answer = failing
    await read()
    clock.now += 30_000
    const answer = Promise.withResolvers<Response>()
    world.answer = () => answer.promise
    const trial = read()
    expect(await Promise.all([read(), read()])).toEqual([undefined, undefined])
    answer.resolve(found())
    expect(await trial).toMatchObject({ generation: 7 })
    expect(asked).toHaveLength(2)
  })

  it('return no record if it has not arrived or has expired', async () => {
    const { read, world, events } = scripted()
    world.answer = () => Response.json({})
    expect(await read()).toBeUndefined()
    world.answer = () => Response.json({ Item: { ...ITEM, expires_at: { N: String(START_MS / 1000) } } })
    expect(await read()).toBeUndefined()
    expect(events).toEqual([])
  })

  it('report missing configuration, and do not skip a replica for it', async () => {
    const events: LogEvent[] = []
    const missing = () => {
      throw new Problem('configuration_error', 'AWS_REGION is missing')
    }
    const network: typeof fetch = () => Promise.reject(new Error('nothing is to be sent'))
    const runtime = { fetch: network, now: () => 0, random: () => 1, sleep: async () => undefined }
    const { read } = createReplicaStore({ storage: missing, readRegions: () => [IRELAND] }, runtime, (event) =>
      events.push(event),
    )
    await expect(read('beach', EUROPE)).rejects.toMatchObject({ code: 'configuration_error' })
    expect(events).toEqual([])
  })
})
