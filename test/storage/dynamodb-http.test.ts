import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StorageSettings } from '../../src/config/config.ts'
import { createDynamoDb } from '../../src/storage/dynamodb.ts'
import { createTableClock } from '../../src/storage/table-clock.ts'
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

const parseSigningDate = (text: string) =>
  new Date(text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))

/** The `Authorization` header that Smithy's signer makes for a request, over the headers that its own one covers. */
const signedBySmithy = async (request: Request, settings: StorageSettings) => {
  const { accessKeyId, secretAccessKey, sessionToken, region } = settings
  const url = new URL(request.url)
  const signedNames = /SignedHeaders=([^,]+)/.exec(request.headers.get('Authorization') ?? '')?.[1]?.split(';') ?? []
  const headers = Object.fromEntries(signedNames.map((name) => [name, request.headers.get(name) ?? '']))
  const signer = new SignatureV4({
    ...{ service: 'dynamodb', region, sha256: Sha256, applyChecksum: false },
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
  })
  const signed = await signer.sign(
    {
      ...{ method: 'POST', protocol: url.protocol, hostname: url.hostname, path: url.pathname },
      headers: { ...headers, host: url.host },
      body: await request.clone().text(),
    },
    { signingDate: parseSigningDate(request.headers.get('X-Amz-Date') ?? '') },
  )
  return signed.headers['authorization']
}

describe('a signature', () => {
  const anySettings: fc.Arbitrary<StorageSettings> = fc.record({
    region: fc.constantFrom('us-east-1', 'eu-central-1', 'us-gov-west-1', 'cn-north-1'),
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
    timeoutMs: fc.constant(6_500),
  })
  const payloadText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom('', 'Bürö ✓ / + %20', '\u0000\r\n', '😀', '"\\'),
  )
  const date = fc.date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true })
  const aheadMs = fc.constantFrom(0, 60_000, -3_600_000, 40 * 86_400_000)

  /** A table at `tableTime`, and a Worker whose clock is ahead by `aheadMs`: the requests that it sends. */
  const requestsSent = async (settings: StorageSettings, text: string, tableTime: number, aheadMs: number) => {
    const sent: Request[] = []
    const now = () => tableTime + aheadMs
    const table = createDynamoDb(() => settings, {
      ...{ now, random: () => 1, sleep: async () => undefined },
      clock: createTableClock({ now, skewMs: () => 10_000, log: () => undefined }),
      fetch: async (input, init) => {
        sent.push(new Request(input, init))
        return Response.json({}, { headers: { Date: new Date(tableTime).toUTCString() } })
      },
    })
    await table.getItem({ Key: { pk: { S: text } } })
    await table.updateItem({ ...UPDATE, ExpressionAttributeValues: { ':a': { S: text } } })
    return sent
  }

  it('equals that of an independent implementation, for every region, credential, payload and clock', async () => {
    await fc.assert(
      fc.asyncProperty(anySettings, payloadText, date, aheadMs, async (settings, text, tableTime, aheadMs) => {
        const sent = await requestsSent(settings, text, tableTime.getTime(), aheadMs)
        for (const request of sent) {
          expect(request.headers.get('Authorization')).toBe(await signedBySmithy(request, settings))
          expect(request.headers.get('X-Amz-Security-Token')).toBe(settings.sessionToken ?? null)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('covers host, date, target and session token, and no content type', async () => {
    const settings = { ...testStorage('https://dynamodb.us-east-1.amazonaws.com/'), sessionToken: 'a-session-token' }
    const [request] = await requestsSent(settings, 'x', Date.parse('2026-01-05T10:11:12.131Z'), 0)
    expect(request?.headers.get('Authorization')).toContain(
      'Credential=AKIDEXAMPLE/20260105/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token;x-amz-target,',
    )
    expect(request?.headers.get('Content-Type')).toBe('application/x-amz-json-1.0')
  })

  it('has the date of the table where the local clock is off', async () => {
    const tableTime = Date.parse('2026-01-05T23:59:59Z')
    const [first, second] = await requestsSent(testStorage('http://127.0.0.1:9'), 'x', tableTime, 3_600_000)
    expect(first?.headers.get('X-Amz-Date')).toBe('20260106T005959Z')
    expect(second?.headers.get('X-Amz-Date')).toBe('20260105T235959Z')
  })

  it('changes its key once a day', async () => {
    const settings = testStorage('http://127.0.0.1:9')
    let time = 0
    const sent: Request[] = []
    const table = createDynamoDb(() => settings, {
      ...{ now: () => time, random: () => 1, sleep: async () => undefined },
      fetch: async (input, init) => {
        sent.push(new Request(input, init))
        return Response.json({})
      },
    })
    const signatureAt = async (date: string) => {
      time = Date.parse(date)
      await table.getItem(KEY)
      return sent.at(-1)?.headers.get('Authorization') ?? ''
    }
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

  it('returns a failed condition as a value, with the item if the engine returns it', async () => {
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

  it('waits longer after throttling than after a transient failure, and longer each time', async () => {
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
    expect(failed).toMatchObject({ code: 'storage_unavailable', retryAfterSeconds: 5 })
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

  it('does not retry a bug of this service, and does not show it to the caller', async () => {
    const { table, sent } = scripted([error('ValidationException')])
    await expect(table.getItem(KEY)).rejects.toThrow('ValidationException')
    expect(sent).toHaveLength(1)
  })
})
