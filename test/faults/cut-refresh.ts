import type { FaultEffect } from '../support/fault-orders.ts'
import type { Company } from './company.ts'
import type { Joint } from './joints.ts'
import { orderEffect } from './order.ts'
import { SCALED, sleep } from './scale.ts'
import type { CronState, World } from './world.ts'

/** The points of a refresh at which its Worker is killed. */
export const CUTS = [
  ...(['reading', 'claiming', 'claimed', 'asking Intuit', 'being answered by Intuit'] as const),
  ...([
    'holding an answer',
    'storing',
    'stored',
    'parked',
    'storing again',
    'noting a failure',
    'finding what was parked',
  ] as const),
] as const
export type Cut = (typeof CUTS)[number]

interface Step {
  joint: Joint
  effect: FaultEffect
  times?: number
}

const REACHED_WITHIN_MS = 10_000
const PARKED_LOOKS = 100
const PARKED_LOOK_MS = 30
const FAILED: FaultEffect = { kind: 'answer', status: 500, body: '' }

/** The faults that bring a refresh to a point. The Worker is killed when the last one takes effect. */
const stepsTo = (cut: Cut, until: Promise<void>): Step[] => {
  const before: FaultEffect = { kind: 'hold', until }
  const after: FaultEffect = { kind: 'hold after', until }
  switch (cut) {
    case 'reading':
      return [{ joint: 'read', effect: before }]
    case 'claiming':
      return [{ joint: 'claim', effect: before }]
    case 'claimed':
      return [{ joint: 'claim', effect: after }]
    case 'asking Intuit':
      return [{ joint: 'intuit', effect: before }]
    case 'being answered by Intuit':
      return [{ joint: 'intuit', effect: after }]
    case 'holding an answer':
      return [{ joint: 'store', effect: { kind: 'hang' } }]
    case 'storing':
    case 'finding what was parked':
      return [{ joint: 'store', effect: before }]
    case 'stored':
      return [{ joint: 'store', effect: after }]
    case 'parked':
      return [{ joint: 'store', effect: FAILED }]
    case 'storing again':
      return [
        { joint: 'store', effect: FAILED, times: 1 },
        { joint: 'store', effect: before },
      ]
    case 'noting a failure':
      return [
        { joint: 'intuit', effect: FAILED, times: 1 },
        { joint: 'fail', effect: before },
      ]
  }
}

const isParkedSoon = async ({ service }: World, company: Company, usedTokenHash: string) => {
  for (let look = 0; look < PARKED_LOOKS; look++) {
    if (await service.findParked(company.key, usedTokenHash)) return true
    await sleep(PARKED_LOOK_MS)
  }
  return false
}

/** Leaves a token pair parked and not stored, under a lapsed lease. */
const leaveParked = async (world: World, company: Company, usedHash: string, worker: number) => {
  const order = orderEffect(world.service, { companyKey: company.key, joint: 'store', usedHash }, FAILED, undefined)
  await company.read(worker)
  await sleep(SCALED.leaseMs)
  order.lift()
}

/** Starts a refresh on `victim` and brings it to the point of the cut. */
const begin = async (world: World, company: Company, cut: Cut, victim: number, until: Promise<void>) => {
  const { refreshTokenHash: usedTokenHash } = await company.record()
  const round: CronState = {
    label: `ended while ${cut}`,
    startedAt: performance.now(),
    usedTokenHash,
    ended: undefined,
  }
  await company.expire()
  if (cut === 'finding what was parked') await leaveParked(world, company, usedTokenHash, 0)
  const orders = stepsTo(cut, until).map(({ joint, effect, times }) =>
    orderEffect(world.service, { companyKey: company.key, joint, usedHash: usedTokenHash }, effect, times),
  )
  const answer = company.read(victim).catch(() => undefined)
  const strikes = orders.at(-1)?.strikes.then(() => true)
  const isThere = (await Promise.race([strikes, sleep(REACHED_WITHIN_MS).then(() => false)])) ?? false
  const shouldPark = cut === 'parked' && isThere && world.history.wasRotated(usedTokenHash)
  if (shouldPark && !(await isParkedSoon(world, company, usedTokenHash))) {
    world.violation(company, round, 'a pair that could not be stored was not parked')
  }
  return { company, round, isThere, cut, answer, lift: () => orders.map((order) => order.lift()) }
}

/** Brings one refresh of each company to its point, then kills the Worker that runs all of them. */
export const cutRefreshes = async (world: World, cuts: Map<Company, Cut>, victim: number): Promise<void> => {
  const { service, tally } = world
  const released = Promise.withResolvers<void>()
  const begun = await Promise.all(
    [...cuts].map(([company, cut]) => begin(world, company, cut, victim, released.promise)),
  )
  const at = performance.now()
  await service.replace(victim)
  tally.kills++
  released.resolve()
  await Promise.all(begun.map(({ answer }) => answer))
  for (const { company, round, isThere, cut, lift } of begun) {
    lift()
    const parked = (await service.findParked(company.key, round.usedTokenHash)) !== undefined
    round.ended = { at, parked }
    if (parked) tally.parked++
    if (!isThere) continue
    tally.cut++
    tally.faulted++
    tally.cutAt(cut)
  }
  await Promise.all(begun.map(({ company, round }) => world.settle(company, [0, 1, 2], round)))
}
