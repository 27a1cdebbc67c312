import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Company } from '../../faults/company.ts'
import { AWAKE, FROZEN, type Freezable, startFreezable } from '../../faults/frozen-worker.ts'
import type { Joint } from '../../faults/joints.ts'
import { orderEffect } from '../../faults/order.ts'
import { SCALED, sleep } from '../../faults/scale.ts'
import type { FaultEffect } from '../../support/fault-orders.ts'

/** The time of a caller, or of a request to the table, may be over when its Worker wakes. */
const TRUTHFUL = [200, 502, 503]
const POLL = { timeout: 25_000, interval: 200 }

let world: Freezable
beforeAll(async () => {
  world = await startFreezable()
})
afterEach(() => {
  world.thaw()
  world.service.dynamo.heal()
  world.service.tokenEndpoint.heal()
})
afterAll(() => world.close())

/** Freezes a Worker while its refresh waits for an answer. */
const frozenAt = async (joint: Joint, effect: FaultEffect) => {
  const { company, refreshTokenHash: usedHash } = await world.expired()
  const order = orderEffect(world.service, { companyKey: company.key, joint, usedHash }, effect, 1)
  const answer = company.read(FROZEN)
  const [struck] = [await order.strikes]
  return { company, usedHash, answer, struck }
}

const expectWhole = async (company: Company, generation: number) => {
  const { alive, refreshTokenHash } = await company.atIntuit()
  expect(alive).toBe(true)
  expect(await company.record()).toMatchObject({ generation, refreshTokenHash, leaseUntil: 0 })
}

describe('a Worker that is frozen in a refresh for longer than its lease', () => {
  it('does not use the token again when it wakes to cut connections', { timeout: 90_000 }, async () => {
    const { company, answer } = await frozenAt('intuit', { kind: 'hang' })
    world.freeze()
    world.cut()
    await expect.poll(() => company.read(AWAKE), POLL).toMatchObject({ status: 200 })
    world.thaw()
    expect(TRUTHFUL).toContain((await answer).status)
    expect(world.past.usedAfterSuccessor()).toBe(0)
    await expectWhole(company, 2)
  })

  it('does not use the token when the lease was its own last news', { timeout: 90_000 }, async () => {
    const woken = Promise.withResolvers<void>()
    const { company, answer, struck } = await frozenAt('claim', {
      kind: 'hold after',
      until: woken.promise,
    })
    await expect.poll(() => struck.endedAt, POLL).toBeDefined()
    world.freeze()
    woken.resolve()
    await expect.poll(() => company.read(AWAKE), POLL).toMatchObject({ status: 200 })
    world.thaw()
    expect(TRUTHFUL).toContain((await answer).status)
    expect(world.past.usedAfterSuccessor()).toBe(0)
    await expectWhole(company, 2)
  })

  it('stores the answer that lay in its buffers, if nobody else refreshed', { timeout: 90_000 }, async () => {
    const sent = Promise.withResolvers<void>()
    const { company, usedHash, answer, struck } = await frozenAt('intuit', {
      kind: 'hold after',
      until: sent.promise,
    })
    await expect.poll(() => struck.endedAt, POLL).toBeDefined()
    world.freeze()
    sent.resolve()
    await expect.poll(() => struck.delivered, POLL).toBe(true)
    await sleep(SCALED.leaseMs)
    world.thaw()
    expect(TRUTHFUL).toContain((await answer).status)
    await expect.poll(() => company.record(), POLL).toMatchObject({ generation: 2 })
    expect(world.past.tokenUses(usedHash)).toHaveLength(1)
    await expectWhole(company, 2)
  })
})
