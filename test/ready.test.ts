import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, describe, expect, it } from 'vitest'
import { type Service, startService } from './support/worker-harness.ts'

const running: Service[] = []
afterAll(() => Promise.all(running.map((service) => service.close())))

const serviceWith = async (vars: Record<string, string | undefined> = {}) => {
  const service = await startService({ vars })
  running.push(service)
  return service
}

const READY = { status: 200, body: { status: 'ready' } }
const NOT_READY = { status: 503, body: { status: 'not_ready' } }
const ask = async (answering: Promise<Response>) => {
  const answer = await answering
  return { status: answer.status, body: await answer.json() }
}

/** What a holder of the key is told is wrong. */
const faultsOf = async (service: Service): Promise<string> => {
  const { status, body } = await ask(service.api('/ready'))
  expect(status).toBe(503)
  return body.faults.join('\n')
}

describe('/ready', () => {
  it('is 200 where all is there, by one read, and by none again within seconds', async () => {
    const service = await serviceWith()
    expect(await ask(service.fetch('/ready'))).toEqual(READY)
    expect(service.dynamo.requests.map(({ operation }) => operation)).toEqual(['GetItem'])
    for (let count = 0; count < 3; count++) expect(await ask(service.api('/ready'))).toEqual(READY)
    expect(service.dynamo.requests).toHaveLength(1)
  })

  it('answers HEAD alike, and no other method', async () => {
    const service = await serviceWith()
    const head = await service.fetch('/ready', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const post = await service.fetch('/ready', { method: 'POST' })
    expect([post.status, post.headers.get('Allow')]).toEqual([405, 'GET, HEAD'])
  })

  it('says that something is wrong to all, and what only to holders of a key and to the log', async () => {
    const service = await serviceWith({ QUICKBOOKS_REDIRECT_URI: undefined, TOKEN_ENCRYPTION_KEYS: 'a marked value' })
    expect(await ask(service.fetch('/ready'))).toEqual(NOT_READY)
    const faults = await faultsOf(service)
    expect(faults).toContain('QUICKBOOKS_REDIRECT_URI is missing')
    expect(faults).toContain('TOKEN_ENCRYPTION_KEYS')
    expect(faults).not.toContain('marked')
    expect(service.logs()).toContain('"event":"not_ready"')
    expect(service.logs()).toContain('QUICKBOOKS_REDIRECT_URI is missing')
    expect((await service.fetch('/health')).status).toBe(200)
  })

  it('refuses a wrong key rather than to take its holder for nobody', async () => {
    const service = await serviceWith()
    expect((await service.fetch('/ready', { headers: { 'X-API-Key': 'wrong' } })).status).toBe(401)
  })

  it.each([
    ['a table out of reach', { DYNAMODB_ENDPOINT: 'http://127.0.0.1:9' }, 'could not be reached'],
    ['a table of another name', { DYNAMODB_TABLE: 'another' }, 'DYNAMODB_TABLE names no table'],
    ['half a key pair', { QUICKBOOKS_SANDBOX_CLIENT_SECRET: undefined }, 'QUICKBOOKS_SANDBOX_CLIENT_SECRET'],
    ['alerts without a secret', { ALERT_WEBHOOK_URL: 'https://example.com' }, 'ALERT_WEBHOOK_SECRET is missing'],
    [
      'alerts in the clear',
      { ALERT_WEBHOOK_URL: 'http://example.com', ALERT_WEBHOOK_SECRET: `whsec_${btoa('x'.repeat(24))}` },
      'ALERT_WEBHOOK_URL must be an https URL',
    ],
    [
      'a short secret',
      { ALERT_WEBHOOK_URL: 'https://example.com', ALERT_WEBHOOK_SECRET: `whsec_${btoa('x'.repeat(23))}` },
      'ALERT_WEBHOOK_SECRET must be',
    ],
    ['a keep-alive too late', { KEEP_ALIVE_DAYS: '91' }, 'KEEP_ALIVE_DAYS must be at most 90'],
  ])('names %s', async (_, vars, fault) => {
    expect(await faultsOf(await serviceWith(vars))).toContain(fault)
  })

  it('takes one key pair for enough', async () => {
    const service = await serviceWith({
      QUICKBOOKS_SANDBOX_CLIENT_ID: undefined,
      QUICKBOOKS_SANDBOX_CLIENT_SECRET: undefined,
    })
    expect(await ask(service.fetch('/ready'))).toEqual(READY)
  })

  it('names a table of another key', async () => {
    const service = await serviceWith({ DYNAMODB_TABLE: 'other-key' })
    const key = [{ AttributeName: 'id', KeyType: 'HASH' as const }]
    await service.dynamo.client.send(
      new CreateTableCommand({
        ...{ TableName: 'other-key', KeySchema: key, BillingMode: 'PAY_PER_REQUEST' },
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    )
    expect(await faultsOf(service)).toContain('partition key pk (S)')
  })

  it('knows that expiry is off by an item that should be gone for a week', async () => {
    const service = await serviceWith()
    const expired = (daysAgo: number) => ({
      pk: { S: 'cron#expired' },
      expires_at: { N: String(Math.floor(Date.now() / 1000) - daysAgo * 86_400) },
    })
    await service.dynamo.put(expired(8))
    expect(await faultsOf(service)).toContain('expires_at')
    const young = await serviceWith()
    await young.dynamo.put(expired(6))
    expect(await ask(young.fetch('/ready'))).toEqual(READY)
  })
})
