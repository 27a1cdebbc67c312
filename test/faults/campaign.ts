import { type Chance, chance } from './chance.ts'
import type { Company } from './company.ts'
import { CUTS, type Cut, cutRefreshes } from './cut-refresh.ts'
import { faultParkedRead, runFaultedRefresh } from './faulted-refresh.ts'
import { createPlan } from './plan.ts'
import type { Tally } from './tally.ts'
import { type Mode, startWorld, type World } from './world.ts'

/** The number of Workers that run throughout. */
const STEADY = 3
const CUT_AT_ONCE = 5
const DAY_SECONDS = 90_000
const ROUNDS_A_DAY = 3

export interface Campaign {
  mode: Mode
  seed: number
  /** The number of refreshes with a fault, including those that a killed Worker cuts short. */
  refreshes: number
  cuts: number
  /** The number of Workers that are killed and replaced again and again. */
  victims: number
  /** How often the rescue store is stopped for one refresh of each connection. */
  closures: number
  connections: number
}

const askers = Array.from({ length: STEADY }, (_, index) => index)

const companies = async (world: World, count: number) => {
  const connected: Company[] = []
  while (connected.length < count) connected.push(await world.company())
  return connected
}

const oneRefresh = async (world: World, company: Company, dice: Chance) => {
  const plan = createPlan(dice, STEADY, true)
  const round = await runFaultedRefresh(world, company, plan)
  if (plan.later) await faultParkedRead(world, company, plan.later)
  await world.settle(company, askers, round)
}

/** In the mode `own` a refresh token rotates once a day. */
const passDay = async ({ mode, service }: World) => {
  if (mode === 'own') await service.intuit.advance(DAY_SECONDS)
}

const runLane = async (world: World, company: Company, lane: number, dice: Chance, isDone: () => boolean) => {
  for (let round = 1; !isDone(); round++) {
    if (lane === 0 && round % ROUNDS_A_DAY === 0) await passDay(world)
    await oneRefresh(world, company, dice)
  }
}

const runCrew = async (world: World, victim: number, dice: Chance, isDone: () => boolean) => {
  const crew = await companies(world, CUT_AT_ONCE)
  let turn = dice.below(CUTS.length)
  const nextCut = (): Cut => CUTS[turn++ % CUTS.length] ?? CUTS[0]
  while (!isDone()) {
    await passDay(world)
    await cutRefreshes(world, new Map(crew.map((company) => [company, nextCut()])), victim)
  }
}

/** Refreshes each connection once while the rescue store is stopped. */
const withRescueClosed = async (world: World, lanes: Company[], dice: Chance) => {
  const before = world.tally.faulted
  await world.service.closeRescue()
  const rounds = await Promise.all(
    lanes.map(async (company) => ({
      company,
      round: await runFaultedRefresh(world, company, createPlan(dice, STEADY, false)),
    })),
  )
  world.tally.withoutRescue += world.tally.faulted - before
  await world.service.reopenRescue()
  await Promise.all(rounds.map(({ company, round }) => world.settle(company, askers, round)))
}

/** Runs refreshes with faults at every call, kills Workers and stops the rescue store, until the counts are reached. */
export const runCampaign = async (campaign: Campaign): Promise<Tally> => {
  const { mode, seed, refreshes, cuts, victims, closures, connections } = campaign
  const world = await startWorld(mode, STEADY + victims)
  const { tally } = world
  const dice = chance(seed)
  try {
    const lanes = await companies(world, connections)
    const beforeClosing = refreshes - closures * connections * 0.8
    const isDone = () => tally.faulted >= beforeClosing && tally.cut >= cuts
    await Promise.all([
      ...lanes.map((company, lane) => runLane(world, company, lane, dice.fork(lane), isDone)),
      ...Array.from({ length: victims }, (_, index) =>
        runCrew(world, STEADY + index, dice.fork(1_000 + index), () => tally.cut >= cuts),
      ),
    ])
    for (let closure = 0; closure < closures || tally.faulted < refreshes; closure++) {
      await withRescueClosed(world, lanes, dice)
    }
  } finally {
    await world.close()
  }
  return tally
}
