import { readFileSync } from 'node:fs'
import * as client from '@aws-sdk/client-dynamodb'
import { describe, expect, it } from 'vitest'
import { Problem } from '../../src/problem.ts'
import {
  CLOCK_SKEW_ERRORS,
  parseErrorName,
  THROTTLING_ERRORS,
  TRANSIENT_ERRORS,
} from '../../src/storage/dynamodb-errors.ts'
import { answers, createScriptedTable, type ScriptedAnswer } from './scripted-table.ts'

const { ok, error, timeout } = answers
const KEY = { Key: { pk: { S: 'connection#marked-key' } } }
const UPDATE = { ...KEY, UpdateExpression: 'SET a = :a', ExpressionAttributeValues: { ':a': { S: 'marked value' } } }
const TYPE = 'com.amazonaws.dynamodb.v20120810#'
const DESCRIPTION = ':http://internal.amazon.com/coral/com.amazon.coral.service/'

const SDK_CONSTANTS =
  '../../node_modules/@smithy/core/dist-es/submodules/retry/service-error-classification/constants.js'
const sdkSource = readFileSync(new URL(SDK_CONSTANTS, import.meta.url), 'utf8')
/** A list of the SDK's, which its package exports to its own files only. */
const sdkList = (name: string) => {
  const list = new RegExp(`export const ${name} = \\[([^\\]]*)\\]`).exec(sdkSource)?.[1] ?? ''
  return [...list.matchAll(/"(\w+)"/g)].map(([, code = '']) => code)
}

/** The exceptions that the model of DynamoDB marks as worth another attempt. */
const retryableExceptions = () =>
  Object.values(client).flatMap((exported) => {
    if (typeof exported !== 'function' || !exported.name.endsWith('Exception')) return []
    const exception: unknown = Reflect.construct(exported, [{ message: '', $metadata: {} }])
    const isMarked = exception instanceof Error && '$retryable' in exception && exception.$retryable !== undefined
    return isMarked ? [exception.name] : []
  })

const findCode = (sending: Promise<unknown>) =>
  sending.then(
    () => 'none',
    (thrown: unknown) => (thrown instanceof Problem ? thrown.code : String(thrown)),
  )

describe('the lists of DynamoDB’s errors', () => {
  it('are those of the SDK', () => {
    expect(sdkList('THROTTLING_ERROR_CODES').length).toBeGreaterThan(10)
    expect(THROTTLING_ERRORS).toEqual(new Set(sdkList('THROTTLING_ERROR_CODES')))
    expect(CLOCK_SKEW_ERRORS).toEqual(new Set(sdkList('CLOCK_SKEW_ERROR_CODES')))
    expect([...TRANSIENT_ERRORS]).toEqual(expect.arrayContaining(sdkList('TRANSIENT_ERROR_CODES')))
  })

  it('hold each exception that DynamoDB’s model marks as retryable', () => {
    const marked = retryableExceptions()
    expect(marked).toContain('ReplicatedWriteConflictException')
    for (const name of marked) expect(TRANSIENT_ERRORS.has(name) || THROTTLING_ERRORS.has(name), name).toBe(true)
  })
})

describe('the name of an error', () => {
  const parts: [string, Record<string, string>, Record<string, unknown> | undefined][] = [
    ['in __type behind a namespace', {}, { __type: `${TYPE}SlowDown` }],
    ['in __type before a description', {}, { __type: `${TYPE}SlowDown${DESCRIPTION}` }],
    ['in __type alone', {}, { __type: 'SlowDown' }],
    ['in code', {}, { code: 'SlowDown' }],
    ['in the header alone', { 'x-amzn-errortype': 'SlowDown' }, undefined],
    ['in the header before a description', { 'X-Amzn-ErrorType': `SlowDown${DESCRIPTION}` }, {}],
    ['in the header behind a namespace', { 'x-amzn-errortype': `${TYPE}SlowDown,x` }, { __type: 7 }],
  ]
  it.each(parts)('is found %s', (_, headers, body) => {
    expect(parseErrorName(new Headers(headers), body)).toBe('SlowDown')
  })

  it.each(['', '#', ':http://x', '<html>', 'a b', 'x'.repeat(200), 'a\u0000b'])('is not %j', (type) => {
    expect(parseErrorName(new Headers(), { __type: type })).toBeUndefined()
  })
})

describe('an attempt that failed', () => {
  const bodies = ['', 'null', '[]', '"text"', '{}', '<html>Bad Gateway</html>']
  const unreadable = bodies.flatMap((body) =>
    [400, 403, 408, 413, 500, 502, 503, 504].map((status): [string, ScriptedAnswer] => [
      `${status} ${JSON.stringify(body)}`,
      () => new Response(body, { status }),
    ]),
  )
  const byHeader = (type: string, body: string): ScriptedAnswer => {
    return () => new Response(body, { status: 400, headers: { 'x-amzn-errortype': type } })
  }
  it.each<[string, ScriptedAnswer]>([
    ...[...THROTTLING_ERRORS, ...TRANSIENT_ERRORS].map((name): [string, ScriptedAnswer] => [name, error(name)]),
    ...[500, 502, 503, 504].map((status): [string, ScriptedAnswer] => [
      `AccessDeniedException with ${status}`,
      error('AccessDeniedException', { status }),
    ]),
    ['429', () => new Response('', { status: 429 })],
    ['a name in the header and no body', byHeader('ReplicatedWriteConflictException', '')],
    ['a name in the header and HTML', byHeader(`InternalServerError${DESCRIPTION}`, '<html>')],
    ['a broken connection', () => new TypeError('fetch failed')],
    ['no answer in time', timeout],
    ['a 200 without JSON', () => new Response('<html>')],
    ...unreadable,
  ])('by %s is repeated', async (_, failure) => {
    const { table, sent, events } = createScriptedTable([failure, ok])
    expect(await table.updateItem(UPDATE)).toMatchObject({ refused: false })
    expect(sent).toHaveLength(2)
    expect(events).toEqual([])
  })

  it.each([
    ['TransactionCanceledException', 'DynamoDbError: DynamoDB refused a request: TransactionCanceledException'],
    ['ItemCollectionSizeLimitExceededException', expect.stringContaining('ItemCollectionSizeLimitExceeded')],
    ['SomethingNewException', expect.stringContaining('SomethingNewException')],
    ['AccessDeniedException', 'configuration_error'],
    ['IncompleteSignatureException', 'configuration_error'],
    ['InvalidSignatureException', 'configuration_error'],
  ])('by %s is not', async (name, outcome) => {
    const { table, sent } = createScriptedTable([error(name), ok])
    expect(await findCode(table.updateItem(UPDATE))).toEqual(outcome)
    expect(sent).toHaveLength(1)
  })

  it('by a condition is a value, also where only the header names it', async () => {
    const { table, sent } = createScriptedTable([byHeader('ConditionalCheckFailedException', ''), ok])
    expect(await table.updateItem(UPDATE)).toEqual({ refused: true, item: undefined })
    expect(sent).toHaveLength(1)
  })
})

describe('the log', () => {
  it.each<[string, ScriptedAnswer, object]>([
    ['503', error('ThrottlingException'), { error: 'ThrottlingException', status: 400, attempts: 3 }],
    ['503', error('InternalServerError', { status: 500 }), { error: 'InternalServerError', status: 500, attempts: 4 }],
    ['503', () => new Response('<html>', { status: 502 }), { error: 'UnreadableResponse', status: 502, attempts: 4 }],
    ['503', () => new TypeError('fetch failed'), { error: 'NetworkError', status: undefined, attempts: 4 }],
    ['503', timeout, { error: 'TimeoutError', status: undefined, attempts: 4 }],
    ['500', error('AccessDeniedException'), { error: 'AccessDeniedException', status: 400, attempts: 1 }],
    ['500', error('SomethingNewException'), { error: 'SomethingNewException', status: 400, attempts: 1 }],
  ])('names DynamoDB’s error once where it becomes a %s, and neither key nor item', async (_, failure, details) => {
    const { table, events } = createScriptedTable([failure])
    await table.updateItem(UPDATE).catch(() => undefined)
    expect(events).toEqual([{ event: 'dynamodb_failed', operation: 'UpdateItem', region: 'us-east-1', ...details }])
    expect(JSON.stringify(events)).not.toContain('marked')
  })
})

describe('the retry budget', () => {
  const DOWN = error('InternalServerError', { status: 500 })
  /** How many requests each of so many calls sent. */
  const sentBy = async ({ table, sent }: ReturnType<typeof createScriptedTable>, calls: number) => {
    const counts: number[] = []
    for (let call = 0; call < calls; call++) {
      const before = sent.length
      await table.getItem(KEY).catch(() => undefined)
      counts.push(sent.length - before)
    }
    return counts
  }

  it('allows a hundred retries while the table is down, and then one attempt per call', async () => {
    const counts = await sentBy(createScriptedTable([DOWN]), 60)
    expect(counts.reduce((sum, count) => sum + count - 1, 0)).toBe(100)
    expect(counts.slice(0, 33)).toEqual(Array(33).fill(4))
    expect(counts.slice(34)).toEqual(Array(26).fill(1))
  })

  it('allows half as many after timeouts', async () => {
    const counts = await sentBy(createScriptedTable([timeout]), 60)
    expect(counts.reduce((sum, count) => sum + count - 1, 0)).toBe(50)
  })

  it('is refunded by calls that succeed', async () => {
    let isDown = true
    const world = createScriptedTable([(request, time) => (isDown ? DOWN(request, time) : ok())])
    await sentBy(world, 60)
    isDown = false
    await sentBy(world, 15)
    isDown = true
    expect(await sentBy(world, 2)).toEqual([4, 1])
    const flaky = createScriptedTable(Array.from({ length: 2_000 }, (_, index) => (index % 2 === 0 ? DOWN : ok)))
    expect(await sentBy(flaky, 500)).toEqual(Array(500).fill(2))
  })
})
