import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Company, connectCompany } from '../faults/company.ts'
import { brokerWorker, startWorkerGroup, type WorkerGroup } from '../support/worker-group.ts'
import { type Service, startService } from '../support/worker-harness.ts'

let service: Service
let group: WorkerGroup
let companies = 0
beforeAll(async () => {
  service = await startService({ vars: { TOKEN_CACHE_SECONDS: '0' } })
  group = await startWorkerGroup(await brokerWorker(service.vars))
})
afterAll(async () => {
  await group.close()
  await service.close()
})
beforeEach(async () => {
  service.tokenEndpoint.heal()
  service.dynamo.heal()
  await service.intuit.reset()
  await service.intuit.turn({ rotateAfterSeconds: 0, reuseKills: true })
})

const expired = async () => {
  const company = await connectCompany(service, `company-${++companies}`, String(1_000 + companies))
  await company.expire()
  service.dynamo.requests.length = 0
  return company
}
const requestToken = ({ key }: Company) => [`/api/token/${key}`, { headers: { 'X-API-Key': service.apiKey } }] as const
const throughCaller = (company: Company) => group.fetch(...requestToken(company))
const answeredReads = () =>
  service.dynamo.requests.filter(({ operation, delivered }) => operation === 'GetItem' && delivered).length
const refreshes = async () => (await service.intuit.state()).counts.refresh

const expectStored = async (company: Company, generation: number) => {
  await expect.poll(() => company.record(), { timeout: 20_000 }).toMatchObject({ generation, leaseUntil: 0 })
  const { alive, refreshTokenHash } = await company.atIntuit()
  expect({ alive, refreshTokenHash }).toEqual({
    alive: true,
    refreshTokenHash: (await company.record()).refreshTokenHash,
  })
}

/** The first caller's refresh is at Intuit, others of the same isolate wait for it, and the first one leaves. */
const leaveOthersWaiting = async (company: Company, others: number) => {
  const released = Promise.withResolvers<void>()
  const order = service.tokenEndpoint.fault({ kind: 'hold after', until: released.promise, times: 1 })
  const owner = group.startLeaving(...requestToken(company))
  await order.strikes
  const waiters = Array.from({ length: others }, () => throughCaller(company))
  await expect.poll(answeredReads, { timeout: 20_000 }).toBe(1 + others)
  owner.leave()
  expect(await owner.outcome).toBe('left')
  released.resolve()
  return Promise.all(waiters)
}

describe('a caller that leaves while its refresh is under way', () => {
  it('leaves nobody of its isolate hanging or failing, and its pair is stored', async () => {
    const company = await expired()
    const answers = await leaveOthersWaiting(company, 5)
    const { accessTokenHashes } = await company.atIntuit()
    expect(accessTokenHashes).toHaveLength(2)
    for (const answer of answers) expect(answer.status).toBe(200)
    expect(await refreshes()).toBe(1)
    await expectStored(company, 2)
  })

  it('stands in nobody’s way afterwards', async () => {
    const company = await expired()
    await leaveOthersWaiting(company, 1)
    await company.expire()
    expect((await throughCaller(company)).status).toBe(200)
    expect(await refreshes()).toBe(2)
    await expectStored(company, 3)
  })

  it('loses nothing where nobody else waits, by a binding or over HTTP', async () => {
    const company = await expired()
    await leaveOthersWaiting(company, 0)
    await expectStored(company, 2)

    await company.expire()
    const released = Promise.withResolvers<void>()
    const order = service.tokenEndpoint.fault({ kind: 'hold after', until: released.promise, times: 1 })
    const hangUp = new AbortController()
    const leaving = company.read(0, { headers: { 'X-API-Key': service.apiKey }, signal: hangUp.signal })
    await order.strikes
    hangUp.abort()
    await expect(leaving).rejects.toThrow()
    released.resolve()
    await expectStored(company, 3)
    expect(await refreshes()).toBe(2)
  })
})
