import { afterAll, describe, expect, it } from 'vitest'
import type { FaultEffect, SeenRequest } from '../support/fault-orders.ts'
import { type Service, startService } from '../support/worker-harness.ts'
import { runCampaign } from './campaign.ts'
import { type Company, connectCompany } from './company.ts'
import { type Joint, tableRequest } from './joints.ts'
import { orderEffect } from './order.ts'
import { SCALED, scaledVars, sleep } from './scale.ts'
import { BORNE, runTableOutage } from './table-outage.ts'

const SEED = 20_260_801
const REFRESHES = 40
const CUTS = 5

const started: Service[] = []
afterAll(async () => {
  await Promise.all(started.map((service) => service.close()))
})

/** A company with an expired token. Intuit rotates at every refresh and ends the grant on reuse. */
const expiredCompany = async (options: Parameters<typeof startService>[0] = {}) => {
  const service = await startService({ ...options, vars: { ...scaledVars, ...options.vars } })
  started.push(service)
  await service.intuit.turn({ rotateAfterSeconds: 0, reuseKills: true })
  const company = await connectCompany(service, 'beach-blend', '1000')
  const { refreshTokenHash: usedHash } = await company.record()
  await company.expire()
  const order = (joint: Joint, effect: FaultEffect, times?: number) =>
    orderEffect(service, { companyKey: company.key, joint, usedHash }, effect, times)
  const refreshes = async () => (await service.intuit.state()).counts.refresh
  return { service, company, usedHash, order, refreshes }
}

const isClaim = (seen: SeenRequest) => tableRequest(seen)?.joint === 'claim'

const FAILED: FaultEffect = { kind: 'answer', status: 500, body: '' }

const expectWhole = async (company: Company, generation: number) => {
  const { alive, refreshTokenHash } = await company.atIntuit()
  expect(alive).toBe(true)
  expect(await company.record()).toMatchObject({ generation, refreshTokenHash })
}

describe.concurrent('refreshes that go wrong at every joint, the short form of `npm run test:faults`', () => {
  it.each(['strict', 'own'] as const)(
    'lose nothing that can be kept, where Intuit is %s',
    { timeout: 240_000 },
    async (mode) => {
      const tally = await runCampaign({
        ...{ mode, seed: SEED, refreshes: REFRESHES, cuts: CUTS },
        ...{ victims: 1, closures: 1, connections: 12 },
      })
      expect(tally.violations, `seed ${SEED}`).toEqual([])
      expect(tally.losses.coverable).toBe(0)
      expect(tally.usedAfterSuccessor).toBe(0)
      expect(tally.faulted).toBeGreaterThanOrEqual(REFRESHES)
      expect(tally.cut).toBeGreaterThanOrEqual(CUTS)
      expect(tally.recovered).toBeGreaterThan(0)
    },
  )
})

describe.concurrent('a table that goes out right after a rotation', () => {
  it('fails no caller, and has the token pair after it is back', async () => {
    expect(await runTableOutage((20_000 * SCALED.deadlineMs) / 25_000, scaledVars)).toMatchObject(BORNE)
  })

  it('leaves the token pair parked if the outage lasts, and the next request finds it without a call to Intuit', async ({
    expect,
  }) => {
    const { service, company, usedHash, order, refreshes } = await expiredCompany({ workers: 2 })
    const outage = order('store', FAILED)
    expect(await company.read(0)).toMatchObject({ status: 200 })
    await sleep(SCALED.leaseMs)
    outage.lift()
    await service.closeRescue()
    await expect
      .poll(() => company.read(1), { timeout: 20_000 })
      .toMatchObject({ status: 503, code: 'storage_unavailable' })
    expect(await refreshes()).toBe(1)
    await service.reopenRescue()
    await expect.poll(() => company.read(1), { timeout: 20_000 }).toMatchObject({ status: 200 })
    expect(await refreshes()).toBe(1)
    await expectWhole(company, 2)
    expect(await service.findParked(company.key, usedHash)).toBeUndefined()
  })
})

describe.concurrent('a table that refuses only writes', () => {
  it('is detected before a token is used', async ({ expect }) => {
    const { service, company, refreshes } = await expiredCompany()
    service.dynamo.fault({ kind: 'error', status: 500, type: 'InternalServerError', operation: 'UpdateItem' })
    expect(await company.read(0)).toMatchObject({ status: 503, code: 'storage_unavailable' })
    await company.expiresIn(100)
    expect(await company.read(0)).toMatchObject({ status: 200 })
    expect(await refreshes()).toBe(0)
    service.dynamo.heal()
    await company.expire()
    await expect.poll(() => company.read(0)).toMatchObject({ status: 200 })
    await expectWhole(company, 2)
  })
})

describe.concurrent('a lease holder that sleeps past its lease', () => {
  it('overwrites nothing when its write arrives after those of others', async ({ expect }) => {
    const { service, company, order } = await expiredCompany({ workers: 2 })
    const woken = Promise.withResolvers<void>()
    const sleeping = order('store', { kind: 'hold', until: woken.promise }, 1)
    const outage = order('store', FAILED)
    expect(await company.read(0)).toMatchObject({ status: 200 })
    await sleep(SCALED.leaseMs)
    outage.lift()
    await expect.poll(() => company.read(1), { timeout: 20_000 }).toMatchObject({ status: 200 })
    await expectWhole(company, 2)
    await expect.poll(() => company.force(1)).toMatchObject({ status: 200 })
    const { generation } = await company.record()
    expect(generation).toBeGreaterThan(2)
    woken.resolve()
    const [late] = sleeping.struck
    await expect.poll(() => late?.status).toBe(400)
    await expectWhole(company, generation)
    await expect.poll(service.logs).toContain('"event":"pair_recovered"')
  })
})

describe.concurrent('a Worker without the rescue store', () => {
  it('acquires no lease while its rotated token pair waits for the table', async ({ expect }) => {
    // Long enough for the other requests on a busy machine while the store fails.
    const vars = { REFRESH_DEADLINE_MS: '24000', REFRESH_LEASE_MS: '24400' }
    const { service, company, order, refreshes } = await expiredCompany({ rescue: 'none', vars })
    const other = await connectCompany(service, 'two-tabs', '2000')
    const claims = () => service.dynamo.requests.filter((seen) => other.isMine(seen) && isClaim(seen)).length
    const outage = order('store', FAILED)
    const answer = company.read(0)
    await outage.strikes
    await other.expiresIn(120)
    expect(await other.read(0)).toMatchObject({ status: 200 })
    await other.expire()
    expect(await other.read(0)).toMatchObject({ status: 503, code: 'storage_unavailable', retryAfter: '2' })
    expect(claims()).toBe(0)
    expect(await refreshes()).toBe(1)
    outage.lift()
    expect(await answer).toMatchObject({ status: 200 })
    await expectWhole(company, 2)
    await expect.poll(() => other.read(0), { timeout: 20_000 }).toMatchObject({ status: 200 })
    await expectWhole(other, 2)
  })

  it('acquires no lease while the token pair of a consent waits for the table', async ({ expect }) => {
    const vars = { REFRESH_DEADLINE_MS: '24000', REFRESH_LEASE_MS: '24400' }
    const { service, company, refreshes } = await expiredCompany({ rescue: 'none', vars })
    const path = await service.consented('two-tabs', { realmId: '2000' })
    const isConsent = ({ body }: SeenRequest) => JSON.stringify(body).includes(':connected_at')
    const outage = service.dynamo.fault({ ...FAILED, when: isConsent })
    expect((await service.fetch(path)).status).toBe(503)
    expect(await company.read(0)).toMatchObject({ status: 503, code: 'storage_unavailable', retryAfter: '2' })
    expect(await refreshes()).toBe(0)
    outage.lift()
    await expect.poll(() => company.read(0), { timeout: 20_000 }).toMatchObject({ status: 200 })
    await expectWhole(company, 2)
  })

  it('logs it at a failed write, and stores the token pair anyway', async ({ expect }) => {
    const { service, company, order } = await expiredCompany({ rescue: 'none' })
    order('store', FAILED, 2)
    expect(await company.read(0)).toMatchObject({ status: 200 })
    await expect.poll(() => company.record()).toMatchObject({ generation: 2 })
    await expectWhole(company, 2)
    const failed = { event: 'pair_write_failed', company_key: company.key, rescue: 'not bound' }
    await expect.poll(service.logs).toContain(JSON.stringify(failed))
  })
})
