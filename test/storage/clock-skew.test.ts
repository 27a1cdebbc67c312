import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startWorker } from '../../dev/worker.ts'
import { createComposition } from '../../src/composition.ts'
import { Problem } from '../../src/problem.ts'
import { runtime } from '../../src/runtime.ts'
import { type Company, connectCompany } from '../faults/company.ts'
import { startEngineProxy } from '../support/engine-proxy.ts'
import { type Service, startService } from '../support/worker-harness.ts'
import { answers, createScriptedTable, type ScriptedAnswer, TABLE_TIME } from './scripted-table.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const KEY = { Key: { pk: { S: 'connection#beach-blend' } } }
const UPDATE = { ...KEY, UpdateExpression: 'REMOVE a' }

const toCode = (error: unknown) => (error instanceof Problem ? error.code : String(error))

describe('a request that DynamoDB refuses for its time', () => {
  const { ok, error } = answers
  const REFUSED = 5 * MINUTE
  const signedAt = (request: Request) =>
    Date.parse(
      (request.headers.get('X-Amz-Date') ?? '').replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'),
    )
  /** Refuses what is dated too early or too late, as DynamoDB does. */
  const strict =
    (type: string, message: string): ScriptedAnswer =>
    (request, time) =>
      Math.abs(signedAt(request) - time) > REFUSED ? error(type, { message })(request, time) : ok()

  const errors: [string, string][] = [
    ['RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.'],
    ['RequestExpired', 'Request has expired.'],
    ['RequestInTheFuture', ''],
    ['InvalidSignatureException', 'Signature expired: 20260921T090000Z is now earlier than 20260921T095500Z'],
    ['InvalidSignatureException', 'Signature not yet current: 20260921T110000Z is still later than 20260921T100500Z'],
    ['SignatureDoesNotMatch', 'Signature expired: 20260921T090000Z is now earlier than 20260921T095500Z'],
    ['AccessDeniedException', 'no reason'],
    ['AuthFailure', ''],
  ]
  const clocks = [-60 * MINUTE, 60 * MINUTE, 40 * 24 * 60 * MINUTE]
  it.each(errors.flatMap(([type, message]) => clocks.map((aheadMs) => [type, aheadMs, message] as const)))(
    'with %s and a clock that is off by %i ms is dated by the table and sent once more, as are those after it',
    async (type, aheadMs, message) => {
      const { table, sent, events } = createScriptedTable([strict(type, message)], aheadMs)
      // One attempt, as for the store of a token pair.
      expect(await table.updateItem(UPDATE, { attempts: 1 })).toMatchObject({ refused: false })
      expect(await table.updateItem(UPDATE)).toMatchObject({ refused: false })
      expect(sent).toHaveLength(3)
      for (const request of sent.slice(1)) expect(Math.abs(signedAt(request) - TABLE_TIME)).toBeLessThan(2 * SECOND)
      expect(events).toEqual([expect.objectContaining({ event: 'clock_skew', acquires_leases: false })])
    },
  )

  it.each(errors.slice(0, 5))('with %s again and again is sent twice in all, and 503', async (type, message) => {
    const { table, sent, events } = createScriptedTable([error(type, { message })])
    expect(await table.getItem(KEY).catch(toCode)).toBe('storage_unavailable')
    expect(sent).toHaveLength(2)
    expect(events).toEqual([expect.objectContaining({ event: 'dynamodb_failed', error: type, attempts: 2 })])
  })

  it.each([
    ['InvalidSignatureException', 'The request signature we calculated does not match the signature you provided.'],
    ['SignatureDoesNotMatch', ''],
    ['AccessDeniedException', 'User is not authorized to perform: dynamodb:GetItem'],
    ['ExpiredTokenException', 'The security token included in the request is expired'],
  ])('is not one that is refused with %s while the clock is right', async (type, message) => {
    const { table, sent } = createScriptedTable([error(type, { message })])
    expect(await table.getItem(KEY).catch(toCode)).toBe('configuration_error')
    expect(sent).toHaveLength(1)
  })
})

describe('a Worker with a wrong clock among Workers with correct ones', () => {
  let service: Service
  let companies = 0
  beforeAll(async () => {
    service = await startService()
  })
  const warnings = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  afterAll(async () => {
    warnings.mockRestore()
    await service.close()
  })
  beforeEach(async () => {
    warnings.mockClear()
    service.tokenEndpoint.heal()
    await service.intuit.reset()
    await service.intuit.turn({ rotateAfterSeconds: 0, reuseKills: true })
  })

  const connected = () => connectCompany(service, `company-${++companies}`, String(1_000 + companies))

  /** A broker of its own isolate in this process, over the real table and Intuit, whose local clock is ahead. */
  const brokerAhead = (aheadMs: number) => {
    const env = { ...service.vars, TOKEN_CACHE_SECONDS: '0' }
    const { broker, clock } = createComposition(env, fetch, { ...runtime, now: () => Date.now() + aheadMs })
    const background: Promise<unknown>[] = []
    const waitUntil = (promise: Promise<unknown>) => void background.push(promise)
    const wanted = { minTtlSeconds: 0, fromTable: true }
    return {
      clock,
      /** What a caller gets: the source of the token, or the code of the problem. */
      read: ({ key }: Company) => broker.freshToken(key, wanted, waitUntil).then(({ source }) => source, toCode),
      force: ({ key }: Company) => broker.refreshedToken(key, undefined, waitUntil).then(() => 'intuit', toCode),
      settled: () => Promise.allSettled(background.splice(0)),
    }
  }

  const GRANTS = 20
  const TRUTHFUL = ['intuit', 'table', 'storage_unavailable', 'refresh_in_progress']
  type Broker = ReturnType<typeof brokerAhead>

  /**
   * Both read every company, the second one while the requests of the first are on their way to Intuit. They arrive
   * once the second has its answer, waits for the first, or sends requests of its own.
   */
  const readTogether = async (companies: Company[], first: Broker, second: Broker) => {
    const release = Promise.withResolvers<void>()
    const { struck } = service.tokenEndpoint.fault({ kind: 'hold', until: release.promise })
    const settled = new Set<string>()
    const readAll = (broker: Broker, name: string) =>
      companies.map((company) => broker.read(company).finally(() => settled.add(`${name} ${company.key}`)))
    const reads = readAll(first, 'first')
    await expect.poll(() => settled.size + struck.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(GRANTS)
    const [seen, sentByFirst] = [service.dynamo.requests.length, struck.length]
    reads.push(...readAll(second, 'second'))
    const isWaiting = (company: Company) =>
      settled.has(`second ${company.key}`) || service.dynamo.requests.slice(seen).filter(company.isMine).length >= 3
    await expect
      .poll(() => companies.filter(isWaiting).length + struck.length - sentByFirst, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(GRANTS)
    release.resolve()
    const outcomes = await Promise.all(reads)
    await Promise.all([first.settled(), second.settled()])
    return outcomes
  }

  it.each([
    [MINUTE, 'second'],
    [MINUTE, 'first'],
    [-MINUTE, 'second'],
    [-MINUTE, 'first'],
    [15 * SECOND, 'second'],
    [-15 * SECOND, 'first'],
  ])('ends none of 20 grants where it is %i ms ahead and asks %s', { timeout: 120_000 }, async (aheadMs, turn) => {
    const [right, wrong] = [brokerAhead(0), brokerAhead(aheadMs)]
    const twenty = await Promise.all(Array.from({ length: GRANTS }, connected))
    await Promise.all(twenty.map((company) => company.expire()))
    const outcomes = await (turn === 'first' ? readTogether(twenty, wrong, right) : readTogether(twenty, right, wrong))
    const grants = await Promise.all(twenty.map((company) => company.atIntuit()))
    expect(grants.filter(({ alive }) => !alive)).toHaveLength(0)
    const records = await Promise.all(twenty.map((company) => company.record()))
    expect(records.map(({ refreshTokenHash }) => refreshTokenHash)).toEqual(
      grants.map(({ refreshTokenHash }) => refreshTokenHash),
    )
    for (const outcome of outcomes) expect(TRUTHFUL).toContain(outcome)
    const events = warnings.mock.calls.map(([line]) => JSON.parse(String(line)))
    expect(events.filter(({ event }) => event === 'clock_skew')).toHaveLength(1)
  })

  it('acquires leases in the table’s time while it is off by less than twice CLOCK_SKEW_MS', async () => {
    const company = await connected()
    await company.expire()
    const asked = service.dynamo.requests.length
    const before = Date.now()
    expect(await brokerAhead(-15 * SECOND).read(company)).toBe('intuit')
    const claims = service.dynamo.requests.slice(asked).filter(({ body }) => JSON.stringify(body).includes(':until'))
    expect(claims).toHaveLength(1)
    const until = Number(/":until":\{"N":"(\d+)"/.exec(JSON.stringify(claims[0]?.body))?.[1])
    expect(until).toBeGreaterThan(before + 45 * SECOND - 3 * SECOND)
  })

  it.each([MINUTE, -MINUTE])('answers the token that is still valid and acquires no lease (%i ms)', async (aheadMs) => {
    const company = await connected()
    await company.expiresIn(200)
    const broker = brokerAhead(aheadMs)
    expect(await broker.read(company)).toBe('intuit')
    expect(await broker.force(company)).toBe('storage_unavailable')
    expect(await company.record()).toMatchObject({ generation: 1, leaseUntil: 0 })
  })

  it('checks the expiry of tokens by the time of the table', async () => {
    const company = await connected()
    await company.expiresIn(60 * 60)
    expect(await brokerAhead(1440 * MINUTE).read(company)).toBe('table')
    await company.expire()
    expect(await brokerAhead(-1440 * MINUTE).read(company)).toBe('storage_unavailable')
  })

  it('says so in the log, once, and goes on answering', { timeout: 60_000 }, async () => {
    const proxy = await startEngineProxy(service.dynamo.url)
    proxy.shiftDates(-MINUTE)
    let output = ''
    const vars = { ...service.vars, DYNAMODB_ENDPOINT: proxy.url }
    const worker = await startWorker({ vars, onOutput: (text) => (output += text) })
    const ask = (company: Company) =>
      fetch(`${worker.url}/api/token/${company.key}`, { headers: { 'X-API-Key': service.apiKey } })
    const company = await connected()
    await company.expiresIn(200)
    for (let count = 0; count < 3; count++) expect((await ask(company)).status).toBe(200)
    await company.expiresIn(-600)
    const refused = await ask(company)
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '5'])
    expect(await refused.json()).toMatchObject({
      code: 'storage_unavailable',
      detail: expect.stringContaining('clock'),
    })
    const ready = await fetch(`${worker.url}/ready`, { headers: { 'X-API-Key': service.apiKey } })
    expect(await ready.json()).toMatchObject({
      faults: [expect.stringContaining('The clock of this Worker is 60 s off')],
    })
    await expect.poll(() => output, { timeout: 20_000 }).toContain('"event":"clock_skew","skew_seconds":60')
    await expect.poll(() => output.split('"event":"clock_skew"')).toHaveLength(2)
    await worker.close()
    await proxy.close()
  })
})
