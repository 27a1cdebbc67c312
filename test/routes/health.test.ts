import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, describe, expect, it } from 'vitest'
import { brokerWorker, startWorkerGroup } from '../support/worker-group.ts'
import { type Service, startService } from '../support/worker-harness.ts'

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
const readFaults = async (service: Service): Promise<string> => {
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
    const faults = await readFaults(service)
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
    expect(await readFaults(await serviceWith(vars))).toContain(fault)
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
    expect(await readFaults(service)).toContain('partition key pk (S)')
  })

  it.each([
    'IncompleteSignatureException',
    'InvalidSignatureException',
    'SignatureDoesNotMatch',
    'UnrecognizedClientException',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'InvalidClientTokenId',
  ])('blames the credentials, and not the key of the table, for %s', async (type) => {
    const service = await serviceWith()
    service.dynamo.fault({ operation: 'GetItem', kind: 'error', status: 400, type })
    const faults = await readFaults(service)
    expect(faults).toMatch(/AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)/)
    expect(faults).not.toContain('partition key')
  })

  it.each(['SerializationException', 'InvalidEndpointException', 'ResourceInUseException'])(
    'names an error that it does not know, and blames nothing for %s',
    async (type) => {
      const service = await serviceWith()
      service.dynamo.fault({ operation: 'GetItem', kind: 'error', status: 400, type })
      const faults = await readFaults(service)
      expect(faults).toContain(type)
      expect(faults).not.toMatch(/partition key|AWS_/)
    },
  )

  it('names id and secret that are swapped', async () => {
    const service = await serviceWith({
      AWS_ACCESS_KEY_ID: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      AWS_SECRET_ACCESS_KEY: 'AKIAIOSFODNN7EXAMPLE',
    })
    const faults = await readFaults(service)
    expect(faults).toContain('AWS_ACCESS_KEY_ID')
    expect(faults).toContain('AWS_SECRET_ACCESS_KEY')
    expect(faults).not.toMatch(/partition key|wJalr|AKIA/)
    expect(service.dynamo.requests).toEqual([])
  })

  it('makes one read of what 200 ask at once', async () => {
    const service = await serviceWith()
    const released = Promise.withResolvers<void>()
    const order = service.dynamo.fault({ operation: 'GetItem', kind: 'hold', until: released.promise, times: 1 })
    const asked = Array.from({ length: 200 }, () => ask(service.fetch('/ready')))
    await order.strikes
    // They are answered in the order of their coming: by then the others wait.
    for (let count = 0; count < 5; count++) await service.fetch('/health')
    released.resolve()
    expect(await Promise.all(asked)).toEqual(asked.map(() => READY))
    expect(service.dynamo.requests).toHaveLength(1)
  })

  it('answers those who wait where the one who asked first leaves', async () => {
    const service = await serviceWith()
    const group = await startWorkerGroup(await brokerWorker(service.vars))
    const released = Promise.withResolvers<void>()
    const order = service.dynamo.fault({ operation: 'GetItem', kind: 'hold', until: released.promise, times: 1 })
    const headers = { 'X-API-Key': service.apiKey }
    const first = group.startLeaving('/ready', { headers })
    await order.strikes
    const others = Array.from({ length: 20 }, () => ask(group.fetch('/ready', { headers })))
    first.leave()
    expect(await first.outcome).toBe('left')
    released.resolve()
    expect(await Promise.all(others)).toEqual(others.map(() => READY))
    expect(service.dynamo.requests).toHaveLength(1)
    await group.close()
  })
})
