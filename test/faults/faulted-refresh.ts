import type { Company } from './company.ts'
import { orderFault } from './order.ts'
import type { Plan, PlannedFault } from './plan.ts'
import { SCALED, sleep } from './scale.ts'
import { cameLate } from './verdict.ts'
import type { CronState, World } from './world.ts'

const describePlan = ({ faults, callers, forced, heals, later, isRescueOpen }: Plan) => {
  const one = ({ joint, kind, times }: PlannedFault) => `${kind} at ${joint}${times === undefined ? '' : ` × ${times}`}`
  const end = later ? `${heals}, then ${one(later)}` : heals
  const rescue = isRescueOpen ? '' : '; the rescue store closed'
  return `${faults.map(one).join(' and ')}${rescue}; ${forced ? 'forced' : 'read'} at ${callers.join(', ')}; heals ${end}`
}

/** Runs one refresh with the planned faults, up to the responses. Returns what has to settle. */
export const runFaultedRefresh = async (world: World, company: Company, plan: Plan): Promise<CronState> => {
  const { service, tally } = world
  const { refreshTokenHash: usedTokenHash } = await company.record()
  const round: CronState = { label: describePlan(plan), startedAt: performance.now(), usedTokenHash, ended: undefined }
  const place = { companyKey: company.key, usedHash: usedTokenHash }
  await company.expire()
  const ordered = plan.faults.map((fault) => ({ fault, order: orderFault(service, place, fault) }))
  const ask = plan.forced ? company.force : company.read
  const answers = await Promise.all(plan.callers.map((worker) => ask(worker)))

  const isIntuitAtFault = plan.faults.some(({ joint }) => joint === 'intuit')
  const mayBlameIntuit = isIntuitAtFault || world.history.tokenUses(usedTokenHash).some(cameLate)
  for (const answer of answers) {
    const wrong = world.untruth(answer, mayBlameIntuit)
    if (wrong) world.violation(company, round, `a caller was answered ${wrong}`)
  }
  if (plan.heals === 'after the deadline') {
    await sleep(SCALED.deadlineMs)
    if (await service.findParked(company.key, usedTokenHash)) tally.parked++
  }
  for (const { fault, order } of ordered) {
    order.lift()
    tally.struck(fault.joint, fault.kind, order.struck.length)
  }
  if (ordered.some(({ order }) => order.struck.length > 0)) tally.faulted++
  return round
}

/** Applies a fault to the request that finds the parked token pair. */
export const faultParkedRead = async ({ service, tally }: World, company: Company, later: PlannedFault) => {
  const { refreshTokenHash: usedHash } = await company.record()
  await sleep(SCALED.leaseMs - SCALED.deadlineMs)
  const order = orderFault(service, { companyKey: company.key, usedHash }, later)
  await company.read(0)
  order.lift()
  tally.struck(later.joint, later.kind, order.struck.length)
}
