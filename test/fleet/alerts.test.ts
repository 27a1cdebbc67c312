import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Service, startService } from '../support/worker-harness.ts'
import { createAgedConnections } from './aged-connections.ts'
import { type Receiver, startReceiver } from './webhook-receiver.ts'

const SECRET = `whsec_${randomBytes(32).toString('base64')}`

let service: Service
let receiver: Receiver
let made: ReturnType<typeof createAgedConnections>

beforeAll(async () => {
  receiver = await startReceiver(SECRET)
  service = await startService({
    vars: {
      ...{ DYNAMODB_FLEET_INDEX: 'fleet', KEEP_ALIVE_DAYS: '0', CRON_CALLS: '400' },
      ...{ ALERT_WEBHOOK_URL: receiver.url, ALERT_WEBHOOK_SECRET: SECRET },
    },
  })
  made = createAgedConnections(service)
})
afterAll(async () => {
  await service.close()
  await receiver.close()
})

beforeEach(async () => {
  for (const { pk } of await service.dynamo.all()) await service.dynamo.remove(pk?.S ?? '')
  receiver.answer(204)
  // The first run of a deployment. Changes after it cause alerts.
  await service.scheduled()
  receiver.received.length = 0
})

/** Runs the cron, and returns what the operator was sent by it. */
const run = async () => {
  receiver.received.length = 0
  await service.scheduled()
  return [...receiver.received]
}
const types = (messages: { type: string; data: Record<string, unknown> }[]) =>
  messages.map(({ type, data }) => `${type} ${data['company_key']}`)
const outbox = async () => (await service.dynamo.all()).filter(({ pk }) => pk?.S?.startsWith('outbox#'))

/** Makes every alert in the outbox due. */
const makeAlertsDue = async () => {
  for (const item of await outbox()) await service.dynamo.put({ ...item, dies_at: { N: '1' } })
}

describe('an operator', () => {
  it('causes one write per run while nothing changes', async () => {
    await made.connected(3)
    await run()
    service.dynamo.requests.length = 0
    await run()
    const written = service.dynamo.requests.filter(({ operation }) => !/^(Query|GetItem)$/.test(operation))
    expect(written.map(({ operation, body }) => [operation, JSON.stringify(body).includes('cron#fleet')])).toEqual([
      ['PutItem', true],
    ])
  })

  it('gets one alert for each change of a connection, in order', async () => {
    const [key = ''] = await made.connected(1)
    expect(types(await run())).toEqual([`connection.connected ${key}`])
    expect(await run()).toEqual([])
    await made.failing(key, 'unavailable')
    expect(types(await run())).toEqual([`connection.failing ${key}`])
    await made.failing(key, 'unavailable', 1200)
    expect(await run()).toEqual([])
    await made.failing(key, 'invalid_grant')
    expect(types(await run())).toEqual([`connection.reconnect_required ${key}`])
    await made.mended(key)
    expect(types(await run())).toEqual([`connection.recovered ${key}`])
    await made.erased(key)
    expect(types(await run())).toEqual([`connection.disconnected ${key}`])
    expect(await run()).toEqual([])
    expect(await outbox()).toEqual([])
    expect(receiver.unverified).toEqual([])
  })

  it('gets the details of a connection, and no token', async () => {
    const [key = ''] = await made.connected(1)
    await run()
    await made.failing(key, 'invalid_client')
    const [message] = await run()
    expect(message).toMatchObject({
      type: 'connection.failing',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      data: {
        ...{ company_key: key, company_name: key, environment: 'production', status: 'failing' },
        ...{ realm_id: expect.any(String), days_left: expect.any(Number), expires_at: expect.any(Number) },
        last_error: { code: 'intuit_rejected_client', at: expect.any(Number), intuit_tid: '1-tid' },
      },
    })
    const { access_token: access, refresh_token: refresh, refresh_token_hash: hash } = await made.item(key)
    for (const secret of [access?.S, refresh?.S, hash?.S, SECRET]) expect(message?.text).not.toContain(secret)
  })

  it('gets one warning 30, 7 and 1 days before an expiry that no refresh can move', async () => {
    const [key = ''] = await made.connected(1)
    await run()
    const notified: string[] = []
    for (const days of [31, 29.5, 20, 6.5, 3, 0.5]) {
      await made.hardLeft(key, days)
      for (const { type, data } of [...(await run()), ...(await run())])
        notified.push(`${days}: ${type} ${data['days_left']}`)
    }
    expect(notified).toEqual([
      '29.5: connection.expiring 29',
      '6.5: connection.expiring 6',
      '0.5: connection.expiring 0',
    ])
    await made.hardLeft(key, -1)
    expect(types(await run())).toEqual([`connection.reconnect_required ${key}`])
  })

  it('gets no alert for a failure that ends within minutes', async () => {
    const [key = ''] = await made.connected(1)
    await run()
    await made.failing(key, 'unavailable')
    await made.change(key, { failure_since: { N: String(Math.floor(Date.now() / 1000)) } })
    expect(await run()).toEqual([])
    await made.mended(key)
    expect(await run()).toEqual([])
  })

  it('gets alerts for existing failures, but not for existing connections', async () => {
    const [fine = '', dead = ''] = await made.connected(2)
    for (const key of [fine, dead]) {
      await made.change(key, { created_at: { N: '1' }, generation: { N: '3' }, last_refresh_at: { N: '2' } })
    }
    await made.failing(dead, 'invalid_grant')
    expect(types(await run())).toEqual([`connection.reconnect_required ${dead}`])
    expect(await run()).toEqual([])
  })

  it('gets one message for many connections, and none for those that follow', async () => {
    const keys = await made.connected(25)
    await run()
    for (const key of keys.slice(0, 20)) await made.failing(key, 'unavailable')
    const messages = await run()
    expect(messages.map(({ type }) => type)).toEqual(['connections.failing'])
    expect(messages[0]?.data).toMatchObject({ count: 20 })
    expect(messages[0]?.data['company_keys']).toHaveLength(20)
    for (const key of keys.slice(20)) await made.failing(key, 'invalid_grant')
    expect(await run()).toEqual([])
    for (const key of keys) await made.mended(key)
    expect((await run()).map(({ type }) => type)).toEqual(['connections.recovered'])
  })

  it('gets an alert again that was not accepted, with the same id and growing pauses', async () => {
    const [key = ''] = await made.connected(1)
    receiver.answer(500)
    const [first] = await run()
    expect(first?.type).toBe('connection.connected')
    const [waiting] = await outbox()
    expect(Number(waiting?.['expires_at']?.N)).toBeGreaterThan(Date.now() / 1000 + 2 * 86_400)
    expect(await run()).toEqual([])
    for (const pauseMinutes of [10, 20, 40]) {
      await makeAlertsDue()
      const before = Math.floor(Date.now() / 1000)
      expect((await run()).map(({ id }) => id)).toEqual([first?.id])
      const after = Math.ceil(Date.now() / 1000)
      const nextAttempt = Number((await outbox())[0]?.['dies_at']?.N)
      expect(nextAttempt).toBeGreaterThanOrEqual(before + pauseMinutes * 60)
      expect(nextAttempt).toBeLessThanOrEqual(after + pauseMinutes * 60)
    }
    receiver.answer(204)
    await makeAlertsDue()
    expect(types(await run())).toEqual([`connection.connected ${key}`])
    expect(await outbox()).toEqual([])
  })

  it('gets no alert through a redirect', async () => {
    await made.connected(1)
    receiver.answer(307)
    expect(await run()).toHaveLength(1)
    expect(await outbox()).toHaveLength(1)
  })

  it('gets the alerts of a run that ended before it sent them', async () => {
    const [key = ''] = await made.connected(1)
    service.dynamo.fault({
      ...{ operation: 'UpdateItem', kind: 'error', status: 500, type: 'InternalServerError' },
      when: ({ body }) => JSON.stringify(body).includes(':alerted'),
    })
    await expect(service.scheduled()).rejects.toThrow('500')
    service.dynamo.heal()
    expect(receiver.received).toEqual([])
    await makeAlertsDue()
    const messages = await run()
    expect(new Set(types(messages))).toEqual(new Set([`connection.connected ${key}`]))
    expect(new Set(messages.map(({ id }) => id)).size).toBe(1)
    expect(await run()).toEqual([])
  })

  it('does not slow down requests: the cron finds what they change', async () => {
    const [key = ''] = await made.connected(1)
    service.dynamo.requests.length = 0
    await service.api(`/api/token/${key}/refresh`, { method: 'POST' })
    expect(service.dynamo.requests.map(({ operation }) => operation)).toEqual(['GetItem', 'UpdateItem', 'UpdateItem'])
    expect(receiver.received).toEqual([])
  })
})
