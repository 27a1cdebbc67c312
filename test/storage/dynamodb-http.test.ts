import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { AwsClient } from 'aws4fetch'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { createDynamoDb } from '../../src/storage/dynamodb.ts'
import { dynamoDbSigner } from '../../src/storage/signer.ts'
import { testStorage } from '../support/engine.ts'

const KEY = { Key: { pk: { S: 'connection#beach-blend' } } }
const UPDATE = { ...KEY, UpdateExpression: 'SET a = :a', ExpressionAttributeValues: { ':a': { S: 'x' } } }

type Answer = Response | Error | 'hang'
const error = (type: string, status = 400, over: object = {}) =>
  Response.json({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'no', ...over }, { status })

/** A table on a virtual clock: answers in turn, the last one for ever, and counts what was sent and how long was waited. */
const scripted = (answers: Answer[], settings = testStorage('http://127.0.0.1:9')) => {
  const sent: Request[] = []
  const pauses: number[] = []
  let time = 1_790_000_000_000
  const network: typeof fetch = async (input, init) => {
    sent.push(new Request(input, init))
    const answer = answers[Math.min(sent.length, answers.length) - 1] ?? new Error('no answer')
    if (answer === 'hang') {
      time += 2_000
      throw init?.signal instanceof AbortSignal
        ? new DOMException('timed out', 'TimeoutError')
        : new Error('no deadline')
    }
    if (answer instanceof Error) throw answer
    return answer.clone()
  }
  const table = createDynamoDb(() => settings, {
    fetch: network,
    now: () => time,
    random: () => 1,
    sleep: async (milliseconds) => {
      pauses.push(milliseconds)
      time += milliseconds
    },
  })
  return { table, sent, pauses, elapsed: () => time - 1_790_000_000_000 }
}

describe('a signature', () => {
  it('hashes the payload of a read that comes again no more, and that of a write each time', async () => {
    const sign = dynamoDbSigner(testStorage('http://127.0.0.1:9'))
    const digesting = vi.spyOn(crypto.subtle, 'digest')
    const costs = async (operation: string) => {
      digesting.mockClear()
      await sign(operation, JSON.stringify(KEY), 1_790_000_000_000)
      return digesting.mock.calls.length
    }
    // The request as a whole is hashed besides.
    expect([await costs('GetItem'), await costs('GetItem')]).toEqual([2, 1])
    expect([await costs('PutItem'), await costs('PutItem')]).toEqual([2, 2])
    digesting.mockRestore()
  })

  const text = fc.string({ unit: 'binary', maxLength: 60 })
  const settingsOf = fc.record({
    region: fc.constantFrom('us-east-1', 'eu-central-1', 'us-gov-west-1'),
    accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,20}$/),
    secretAccessKey: fc.stringMatching(/^[A-Za-z0-9/+=]{1,40}$/),
    sessionToken: fc.option(fc.stringMatching(/^[A-Za-z0-9/+=]{1,80}$/), { nil: undefined }),
    table: fc.constant('connections'),
    endpoint: fc.constantFrom(
      'https://dynamodb.us-east-1.amazonaws.com/',
      'https://dynamodb.eu-central-1.amazonaws.com',
      'http://127.0.0.1:8000',
      'https://localhost:443/',
    ),
  })

  it('is aws4fetch’s to the byte, whatever is signed, by whom and when', async () => {
    const when = fc.date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true })
    await fc.assert(
      fc.asyncProperty(settingsOf, text, when, async (settings, value, date) => {
        const payload = JSON.stringify({ value })
        const ours = await dynamoDbSigner(settings)('UpdateItem', payload, date.getTime())
        const { accessKeyId, secretAccessKey, sessionToken, region, endpoint } = settings
        const credentials = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
        const signed = await new AwsClient({ ...credentials, service: 'dynamodb', region }).sign(endpoint, {
          method: 'POST',
          headers: { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'DynamoDB_20120810.UpdateItem' },
          body: payload,
          aws: { datetime: date.toISOString().replace(/[:-]|\.\d{3}/g, '') },
        })
        const theirs = Object.fromEntries(signed.headers)
        expect(Object.fromEntries(new Headers(ours))).toEqual(theirs)
      }),
      { numRuns: 200 },
    )
  })

  it('changes its key with the day, and with it alone', async () => {
    const sign = dynamoDbSigner(testStorage('http://127.0.0.1:9'))
    const signatureAt = async (time: string) => (await sign('GetItem', '{}', Date.parse(time)))['Authorization'] ?? ''
    const late = await signatureAt('2026-01-05T23:59:59Z')
    const next = await signatureAt('2026-01-06T00:00:00Z')
    expect(late).toContain('/20260105/us-east-1/dynamodb/aws4_request')
    expect(next).toContain('/20260106/us-east-1/dynamodb/aws4_request')
    expect(await signatureAt('2026-01-05T23:59:59Z')).toBe(late)
  })
})

describe('the DynamoDB client', () => {
  it('asks for one item with one signed request', async () => {
    const { table, sent } = scripted([Response.json({ Item: { pk: { S: 'connection#beach-blend' } } })])
    expect(await table.getItem(KEY)).toEqual({ pk: { S: 'connection#beach-blend' } })
    expect(sent).toHaveLength(1)
    expect(sent[0]?.headers.get('X-Amz-Target')).toBe('DynamoDB_20120810.GetItem')
    expect(await sent[0]?.json()).toEqual({ TableName: 'connections', ...KEY })
  })

  it.each([undefined, 'a-session-token'])(
    'signs as an independent implementation does (session token: %s)',
    async (sessionToken) => {
      const settings = { ...testStorage('https://dynamodb.us-east-1.amazonaws.com/'), sessionToken }
      const { table, sent } = scripted([Response.json({})], settings)
      await table.updateItem({ ...UPDATE, ExpressionAttributeValues: { ':a': { S: 'Bürö ✓ / + %20' } } })
      const request = sent[0]
      if (!request) throw new Error('nothing sent')
      const authorization = request.headers.get('Authorization') ?? ''
      const signedNames = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? []
      expect(signedNames).toEqual(expect.arrayContaining(['host', 'x-amz-date', 'x-amz-target']))
      const headers: Record<string, string> = { host: 'dynamodb.us-east-1.amazonaws.com' }
      for (const name of signedNames) headers[name] ??= request.headers.get(name) ?? ''
      const date = request.headers.get('X-Amz-Date') ?? ''
      const signingDate = new Date(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))
      const signer = new SignatureV4({
        service: 'dynamodb',
        region: 'us-east-1',
        sha256: Sha256,
        applyChecksum: false,
        credentials: {
          accessKeyId: settings.accessKeyId,
          secretAccessKey: settings.secretAccessKey,
          ...(sessionToken ? { sessionToken } : {}),
        },
      })
      const url = new URL(request.url)
      const independent = await signer.sign(
        {
          method: 'POST',
          protocol: url.protocol,
          hostname: url.hostname,
          path: url.pathname,
          headers,
          body: await request.text(),
        },
        { signingDate },
      )
      expect(authorization).toBe(independent.headers['authorization'])
    },
  )

  it('reports a refused condition as a value, with the item where the engine tells it', async () => {
    const { table, sent } = scripted([
      error('ConditionalCheckFailedException', 400, { Item: { pk: { S: 'x' } } }),
      error('ConditionalCheckFailedException'),
    ])
    const conditional = { ...UPDATE, ConditionExpression: 'a = :a' }
    expect(await table.updateItem(conditional)).toEqual({ refused: true, item: { pk: { S: 'x' } } })
    expect(await table.updateItem(conditional)).toEqual({ refused: true, item: undefined })
    expect(sent).toHaveLength(2)
    expect(await sent[0]?.json()).toMatchObject({ ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })
  })

  const passing: [string, Answer][] = [
    ['a broken connection', new Error('socket hang up')],
    ['an attempt without an answer', 'hang'],
    ['InternalServerError', error('InternalServerError', 500)],
    ['a gateway’s HTML', new Response('<html>', { status: 502 })],
    ['a 400 without a name', new Response('no', { status: 400 })],
    ['a 200 that is not JSON', new Response('<html>')],
    ['a redirect', Response.redirect('http://127.0.0.1:9/elsewhere')],
    ['ThrottlingException', error('ThrottlingException')],
    ['ProvisionedThroughputExceededException', error('ProvisionedThroughputExceededException')],
    ['RequestTimeTooSkewed', error('RequestTimeTooSkewed')],
  ]
  it.each(passing)('tries again after %s', async (_, answer) => {
    const { table, sent } = scripted([answer, Response.json({ Attributes: { a: { S: 'x' } } })])
    expect(await table.updateItem(UPDATE)).toEqual({ refused: false, attributes: { a: { S: 'x' } } })
    expect(sent).toHaveLength(2)
  })

  it('waits longer after throttling than after a fault in passing, and longer each time', async () => {
    const fault = scripted([error('InternalServerError', 500)])
    await expect(fault.table.getItem(KEY)).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(fault.pauses).toEqual([25, 50, 100])
    expect(fault.sent).toHaveLength(4)
    const throttled = scripted([error('ThrottlingException')])
    await expect(throttled.table.getItem(KEY)).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(throttled.pauses).toEqual([1000, 2000])
  })

  it.each<[string, Answer]>([
    ['hangs', 'hang'],
    ['throttles', error('ThrottlingException')],
    ['fails', error('InternalServerError', 500)],
  ])('gives up within its deadline when the table %s for good, and says when to ask again', async (_, answer) => {
    const { table, elapsed } = scripted([answer])
    const failed = await table.getItem(KEY).catch((thrown: unknown) => thrown)
    expect(failed).toMatchObject({ code: 'storage_unavailable', headers: { 'Retry-After': '5' } })
    expect(elapsed()).toBeLessThanOrEqual(6_500)
  })

  it.each([
    ['ResourceNotFoundException', 'DYNAMODB_TABLE'],
    ['AccessDeniedException', 'DYNAMODB_TABLE'],
    ['UnrecognizedClientException', 'AWS_ACCESS_KEY_ID'],
    ['InvalidSignatureException', 'AWS_SECRET_ACCESS_KEY'],
    ['ExpiredTokenException', 'AWS_SESSION_TOKEN'],
  ])('does not repeat %s and names %s', async (type, variable) => {
    const { table, sent } = scripted([error(type)])
    const failed = await table.getItem(KEY).catch((thrown: unknown) => thrown)
    expect(failed).toMatchObject({ code: 'configuration_error', message: expect.stringContaining(variable) })
    expect(sent).toHaveLength(1)
  })

  it('does not repeat what is our own mistake, nor tell the caller about it', async () => {
    const { table, sent } = scripted([error('ValidationException')])
    await expect(table.getItem(KEY)).rejects.toThrow('ValidationException')
    expect(sent).toHaveLength(1)
  })
})
