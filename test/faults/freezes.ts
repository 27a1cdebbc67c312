import type { Company } from './company.ts'
import { AWAKE, FROZEN, type Freezable, startFreezable } from './frozen-worker.ts'
import { orderEffect } from './order.ts'
import { SCALED, sleep } from './scale.ts'

const TAKEN_OVER_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 200

export interface FreezeFigures {
  /** Refreshes whose Worker froze for longer than its lease, so that another Worker took over. */
  takenOver: number
  /** Refreshes whose response waited in the buffers of the frozen Worker, while no other Worker refreshed. */
  buffered: number
  /** Connections lost in both cases. */
  lost: number
  /** Uses of a token after its successor was stored. */
  usedAfterSuccessor: number
}

const isWhole = async (company: Company) => {
  const [{ alive, refreshTokenHash }, record] = [await company.atIntuit(), await company.record()]
  return alive && refreshTokenHash === record.refreshTokenHash
}

/** Requests a token until one is returned. */
const readUntilRefreshed = async (company: Company) => {
  for (const from = performance.now(); performance.now() - from < TAKEN_OVER_WITHIN_MS; await sleep(LOOK_EVERY_MS)) {
    if ((await company.read(AWAKE)).status === 200) return
  }
}

const waitUntilWhole = async (company: Company) => {
  for (const from = performance.now(); performance.now() - from < TAKEN_OVER_WITHIN_MS; await sleep(LOOK_EVERY_MS)) {
    if (await isWhole(company)) return
  }
}

const several = (world: Freezable, count: number) => Promise.all(Array.from({ length: count }, () => world.expired()))

/** Freezes a Worker and closes its connections while its refreshes wait for Intuit. Another Worker takes each over. */
const takeOver = async (world: Freezable, count: number) => {
  const companies = await several(world, count)
  const orders = companies.map(({ company, refreshTokenHash: usedHash }) =>
    orderEffect(world.service, { companyKey: company.key, joint: 'intuit', usedHash }, { kind: 'hang' }, 1),
  )
  const answers = companies.map(({ company }) => company.read(FROZEN))
  await Promise.all(orders.map(({ strikes }) => strikes))
  world.freeze()
  world.cut()
  await Promise.all(companies.map(({ company }) => readUntilRefreshed(company)))
  world.thaw()
  await Promise.all(answers)
  return companies
}

/** Intuit responds while the Worker is frozen. No other Worker refreshes until it resumes. */
const leaveInBuffers = async (world: Freezable, count: number) => {
  const companies = await several(world, count)
  const sent = Promise.withResolvers<void>()
  const held = { kind: 'hold after', until: sent.promise } as const
  const orders = companies.map(({ company, refreshTokenHash: usedHash }) =>
    orderEffect(world.service, { companyKey: company.key, joint: 'intuit', usedHash }, held, 1),
  )
  const answers = companies.map(({ company }) => company.read(FROZEN))
  const struck = await Promise.all(orders.map(({ strikes }) => strikes))
  while (struck.some(({ endedAt }) => endedAt === undefined)) await sleep(LOOK_EVERY_MS)
  world.freeze()
  sent.resolve()
  await sleep(SCALED.leaseMs)
  world.thaw()
  await Promise.all(answers)
  await Promise.all(companies.map(({ company }) => waitUntilWhole(company)))
  return companies
}

/** Freezes a workerd process again and again during refreshes, for longer than their leases. */
export const runFreezes = async (rounds: number, atOnce: number): Promise<FreezeFigures> => {
  const world = await startFreezable()
  try {
    const takenOver = []
    for (let round = 0; round < rounds; round++) takenOver.push(...(await takeOver(world, atOnce)))
    const buffered = await leaveInBuffers(world, atOnce)
    const whole = await Promise.all([...takenOver, ...buffered].map(({ company }) => isWhole(company)))
    return {
      takenOver: takenOver.length,
      buffered: buffered.length,
      lost: whole.filter((one) => !one).length,
      usedAfterSuccessor: world.past.usedAfterSuccessor(),
    }
  } finally {
    await world.close()
  }
}
