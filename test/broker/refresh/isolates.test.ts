import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Company, connectCompany } from '../../faults/company.ts'
import { type Service, startService } from '../../support/worker-harness.ts'

const WORKERS = 3
/** Hundreds of callers share two cores with whatever else runs: none of them gives up before the one refresh is over. */
const NO_HURRY = {
  DYNAMODB_TIMEOUT_MS: '90000',
  REFRESH_LEASE_MS: '250000',
  REFRESH_DEADLINE_MS: '200000',
  REFRESH_WAIT_MS: '120000',
  INTUIT_TIMEOUT_MS: '100000',
}

let service: Service
let companies = 0
beforeAll(async () => {
  service = await startService({ workers: WORKERS, vars: { TOKEN_CACHE_SECONDS: '0', ...NO_HURRY } })
})
afterAll(() => service.close())
beforeEach(async () => {
  service.dynamo.heal()
  service.tokenEndpoint.heal()
  await service.intuit.reset()
})

const connected = () => connectCompany(service, `company-${++companies}`, String(1_000 + companies))
const refreshes = async () => (await service.intuit.state()).counts.refresh
const everywhere = <Result>(count: number, ask: (worker: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, (_, index) => ask(index % WORKERS)))

describe('several Workers on one table', () => {
  it('call Intuit once for 300 simultaneous reads of an expired token, and answer each with the new one', async () => {
    const company = await connected()
    await company.expire()
    const answers = await everywhere(300, (worker) => company.read(worker))
    const { accessTokenHashes } = await company.atIntuit()
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 200, accessTokenHash: accessTokenHashes.at(-1) })
    }
    expect(await refreshes()).toBe(1)
    expect(await company.record()).toMatchObject({ generation: 2, leaseUntil: 0 })
  })

  it('refresh each of 10 connections once in each of 100 rounds: 1,000 times in all', {
    timeout: 240_000,
  }, async () => {
    await service.intuit.turn({ rotateAfterSeconds: 0, reuseKills: true })
    const ten: Company[] = []
    while (ten.length < 10) ten.push(await connected())
    for (let round = 0; round < 100; round++) {
      await Promise.all(ten.map((company) => company.expire()))
      const answers = await Promise.all(ten.map((company) => everywhere(WORKERS, (worker) => company.read(worker))))
      expect(answers.flat().filter(({ status }) => status !== 200)).toEqual([])
    }
    expect(await refreshes()).toBe(1_000)
    for (const company of ten) expect(await company.record()).toMatchObject({ generation: 101 })
  })

  it('join 100 simultaneous forced refreshes in at most three while Intuit takes 2 s', async () => {
    const company = await connected()
    await service.intuit.turn({ tokenDelayMs: 2_000, rotateAfterSeconds: 0, reuseKills: true })
    const { accessTokenHashes: before } = await company.atIntuit()
    const answers = await everywhere(100, (worker) => company.force(worker))
    const { accessTokenHashes: after, alive } = await company.atIntuit()
    for (const answer of answers) {
      expect(answer.status).toBe(200)
      if ('accessTokenHash' in answer) {
        expect(after).toContain(answer.accessTokenHash)
        expect(before).not.toContain(answer.accessTokenHash)
      }
    }
    expect(await refreshes()).toBeLessThanOrEqual(3)
    expect(alive).toBe(true)
  })
})

describe('a token in steady use', () => {
  it('is returned while the refresh at Intuit takes 2 s, and is new afterwards', async () => {
    const company = await connected()
    const [old] = (await company.atIntuit()).accessTokenHashes
    await service.intuit.turn({ tokenDelayMs: 2_000 })
    await company.expiresIn(450)
    const answered = Promise.withResolvers<void>()
    const order = service.tokenEndpoint.fault({ kind: 'hold', until: answered.promise })
    expect(await company.read(0)).toMatchObject({ status: 200, accessTokenHash: old })
    await order.strikes
    expect(await company.read(1)).toMatchObject({ status: 200, accessTokenHash: old })
    expect(await company.read(0)).toMatchObject({ status: 200, accessTokenHash: old })
    answered.resolve()
    await expect.poll(() => company.record(), { timeout: 20_000 }).toMatchObject({ generation: 2 })
    expect(await refreshes()).toBe(1)
    expect(await company.read(2)).toMatchObject({
      accessTokenHash: (await company.atIntuit()).accessTokenHashes.at(-1),
    })
  })
})
