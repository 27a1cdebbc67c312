import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Company, connectCompany } from '../../faults/company.ts'
import { orderEffect } from '../../faults/order.ts'
import { scaledVars } from '../../faults/scale.ts'
import { type Service, startService } from '../../support/worker-harness.ts'

const POLL = { timeout: 20_000 }
/** Intuit is given up early, and listened to for long: a busy machine has time to let its answer arrive. */
const vars = {
  ...scaledVars,
  INTUIT_TIMEOUT_MS: '1500',
  REFRESH_DEADLINE_MS: '24000',
  REFRESH_LEASE_MS: '24400',
}
const FAILED = { kind: 'answer', status: 500, body: '' } as const

let service: Service
let companies = 0
beforeAll(async () => {
  service = await startService({ vars })
})
afterEach(async () => {
  service.dynamo.heal()
  service.tokenEndpoint.heal()
  await service.intuit.reset()
})
afterAll(() => service.close())

/** A refresh whose answer Intuit holds back until the caller has been answered. */
const refreshedLate = async ({ rotates, secondsLeft }: { rotates: boolean; secondsLeft: number }) => {
  if (rotates) await service.intuit.turn({ rotateAfterSeconds: 0, reuseKills: true })
  const company = await connectCompany(service, `company-${++companies}`, String(1_000 + companies))
  const { refreshTokenHash: usedHash } = await company.record()
  await company.expiresIn(secondsLeft)
  const answered = Promise.withResolvers<void>()
  const place = { companyKey: company.key, usedHash }
  orderEffect(service, { ...place, joint: 'intuit' }, { kind: 'hold after', until: answered.promise }, 1)
  const answer = await company.read(0)
  await expect.poll(() => company.record(), POLL).toMatchObject({ failureCode: 'unavailable' })
  return { company, place, answer, arrive: () => answered.resolve() }
}

const expectWhole = async (company: Company) => {
  await expect
    .poll(() => company.record(), POLL)
    .toMatchObject({ generation: 2, leaseUntil: 0, failureCode: undefined })
  const { alive, refreshTokenHash } = await company.atIntuit()
  expect(alive).toBe(true)
  expect((await company.record()).refreshTokenHash).toBe(refreshTokenHash)
}
const refreshes = async () => (await service.intuit.state()).counts.refresh

describe('an answer to the code of a consent that comes after the browser was answered', () => {
  it('connects the company all the same, and a second visit says so', async () => {
    const key = `company-${++companies}`
    const path = await service.consented(key, { realmId: String(1_000 + companies) })
    const answered = Promise.withResolvers<void>()
    service.tokenEndpoint.fault({ kind: 'hold after', operation: 'authorization_code', until: answered.promise })
    const browser = await service.fetch(path)
    expect(browser.status).toBe(502)
    expect(await browser.json()).toMatchObject({ code: 'intuit_unavailable' })
    answered.resolve()
    await expect
      .poll(async () => (await service.api(`/api/connections/${key}`)).json(), POLL)
      .toMatchObject({ connected: true })
    expect((await service.api(`/api/token/${key}`)).status).toBe(200)
    await expect
      .poll(async () => (await service.fetch(path)).json(), POLL)
      .toMatchObject({ status: 400, detail: expect.stringContaining('was connected') })
    expect((await service.intuit.state()).counts.exchange).toBe(1)
  })
})

describe('an answer of Intuit that comes after the caller was answered', () => {
  it.each([
    ['with a new refresh token', true],
    ['with the same refresh token', false],
  ])('is stored %s, and ends the embargo and the failure', async (_, rotates) => {
    const { company, answer, arrive } = await refreshedLate({ rotates, secondsLeft: -1 })
    expect(answer).toMatchObject({ status: 502, code: 'intuit_unavailable' })
    arrive()
    await expectWhole(company)
    expect(await company.read(0)).toMatchObject({ status: 200 })
    expect(await refreshes()).toBe(1)
  })

  it('is stored where the old token was served meanwhile', async () => {
    const { company, answer, arrive } = await refreshedLate({ rotates: true, secondsLeft: 120 })
    expect(answer).toMatchObject({ status: 200 })
    arrive()
    await expectWhole(company)
  })

  it('is stored where the first write of it fails', async () => {
    const { company, place, arrive } = await refreshedLate({ rotates: true, secondsLeft: -1 })
    orderEffect(service, { ...place, joint: 'store' }, FAILED, 2)
    arrive()
    await expectWhole(company)
  })

  it('keeps others off until it is there', async () => {
    const { company, arrive } = await refreshedLate({ rotates: true, secondsLeft: -1 })
    await company.passPause()
    expect(await company.force(0)).toMatchObject({ status: 502, code: 'intuit_unavailable' })
    expect(await refreshes()).toBe(1)
    arrive()
    await expectWhole(company)
  })

  it('is classified where it is a refusal, and frees the lease', async () => {
    const { company, arrive } = await refreshedLate({ rotates: true, secondsLeft: -1 })
    arrive()
    await expectWhole(company)
    await company.expire()
    const { refreshTokenHash: usedHash } = await company.record()
    await service.intuit.kill(company.realmId)
    const answered = Promise.withResolvers<void>()
    const held = { kind: 'hold after', until: answered.promise } as const
    orderEffect(service, { companyKey: company.key, joint: 'intuit', usedHash }, held, 1)
    expect(await company.read(0)).toMatchObject({ status: 502, code: 'intuit_unavailable' })
    answered.resolve()
    await expect
      .poll(() => company.record(), POLL)
      .toMatchObject({ failureCode: 'invalid_grant', leaseUntil: 0, generation: 2 })
    expect(await company.read(0)).toMatchObject({ status: 502, code: 'reconnect_required' })
  })
})
