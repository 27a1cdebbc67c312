import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connectCompany } from '../../faults/company.ts'
import { type Service, startService } from '../../support/worker-harness.ts'

let service: Service
let companies = 0
beforeAll(async () => {
  service = await startService({ vars: { TOKEN_CACHE_SECONDS: '0' } })
})
afterAll(() => service.close())
beforeEach(() => service.dynamo.heal())

const connected = () => connectCompany(service, `company-${++companies}`, String(1_000 + companies))
const refreshes = async () => (await service.intuit.state()).counts.refresh

/** Every write fails, while reads work. */
const failWrites = (type: string, status = 400) =>
  service.dynamo.fault({ kind: 'error', operation: 'UpdateItem', status, type })

describe('a refresh that gets no lease', () => {
  it.each([
    ['ThrottlingException', 400, 503],
    ['ProvisionedThroughputExceededException', 400, 503],
    ['ReplicatedWriteConflictException', 400, 503],
    ['TransactionConflictException', 400, 503],
    ['InternalServerError', 500, 503],
    ['RequestTimeoutException', 400, 503],
    ['InvalidSignatureException', 400, 500],
    ['AccessDeniedException', 400, 500],
    ['ResourceNotFoundException', 400, 500],
    ['ItemCollectionSizeLimitExceededException', 400, 500],
    ['SomethingNewException', 400, 500],
  ])('for %s (%i) answers the token that is still valid, else %i', async (type, status, problem) => {
    const company = await connected()
    const [token] = (await company.atIntuit()).accessTokenHashes
    const before = await refreshes()
    await company.expiresIn(200)
    failWrites(type, status)
    const answers = await Promise.all(Array.from({ length: 4 }, () => company.read(0)))
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, accessTokenHash: token })
    expect(await company.force(0)).toMatchObject({ status: problem })
    await company.expire()
    expect(await company.read(0)).toMatchObject({ status: problem })
    expect(await refreshes()).toBe(before)
    await expect.poll(service.logs, { timeout: 20_000 }).toContain(`"error":"${type}"`)
  })

  it('refreshes once the table takes writes again', async () => {
    const company = await connected()
    await company.expiresIn(200)
    const { lift } = failWrites('AccessDeniedException')
    expect(await company.read(0)).toMatchObject({ status: 200 })
    lift()
    expect(await company.read(0)).toMatchObject({
      accessTokenHash: (await company.atIntuit()).accessTokenHashes.at(-1),
    })
    expect(await company.record()).toMatchObject({ generation: 2 })
  })
})

describe('the log of a Worker', () => {
  it('names DynamoDB’s error, and what was asked of which region', async () => {
    const company = await connected()
    service.dynamo.fault({ kind: 'error', operation: 'GetItem', status: 400, type: 'RequestLimitExceeded' })
    expect(await company.read(0)).toMatchObject({ status: 503, code: 'storage_unavailable' })
    const named =
      '"event":"dynamodb_failed","operation":"GetItem","error":"RequestLimitExceeded","status":400,"attempts":'
    await expect.poll(service.logs, { timeout: 20_000 }).toContain(named)
    const [, rest = ''] = service.logs().split(named)
    expect(rest.split('\n')[0]).toMatch(/^\d,"region":"us-east-1"\}/)
  })
})
