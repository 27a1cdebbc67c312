import { startWorkerd } from '../../bench/workerd.ts'
import { bundleWorker } from '../../dev/bundle.ts'
import { type Service, startService } from '../support/worker-harness.ts'
import { type Company, connectCompany } from './company.ts'
import { history } from './history.ts'

const ASKED_TIMES = 3

export interface ClockFigures {
  aheadSeconds: number
  grants: number
  /** Grants that ended, or whose token is not stored. */
  lost: number
  usedAfterSuccessor: number
  /** Successful refreshes at Intuit. */
  refreshes: number
}

/** The Worker with a shifted clock. */
const withClockAhead = (script: string, aheadMs: number) => `
const realDate = Date
const realNow = Date.now.bind(Date)
globalThis.Date = class extends realDate {
  constructor(...given) {
    super(...(given.length === 0 ? [realNow() + ${aheadMs}] : given))
  }
  static now() {
    return realNow() + ${aheadMs}
  }
}
${script}`

const isWhole = async (company: Company) => {
  const [{ alive, refreshTokenHash }, record] = [await company.atIntuit(), await company.record()]
  return alive && refreshTokenHash === record.refreshTokenHash
}

/** Two Workers, one with a shifted clock, refresh the same connections. Intuit rotates and ends a grant on reuse. */
export const runShiftedClock = async (aheadSeconds: number, grants: number): Promise<ClockFigures> => {
  const service = await startService({ vars: { TOKEN_CACHE_SECONDS: '0' } })
  const script = withClockAhead(await bundleWorker(), aheadSeconds * 1_000)
  const shifted = await startWorkerd({ script, vars: { ...service.vars, TOKEN_CACHE_SECONDS: '0' }, output: 'ignore' })
  try {
    await service.intuit.turn({ rotateAfterSeconds: 0, reuseKills: true, tokenDelayMs: 500 })
    const both: Service = { ...service, urls: () => [...service.urls(), shifted.url] }
    const companies = await Promise.all(
      Array.from({ length: grants }, (_, index) => connectCompany(both, `company-${index}`, String(1_000 + index))),
    )
    for (let time = 0; time < ASKED_TIMES; time++) {
      await Promise.all(companies.map((company) => company.expire()))
      await Promise.all(companies.flatMap((company) => [company.read(1), company.read(0), company.read(1)]))
    }
    const whole = await Promise.all(companies.map(isWhole))
    const past = history(service)
    return {
      ...{ aheadSeconds, grants, lost: whole.filter((one) => !one).length },
      ...{ usedAfterSuccessor: past.usedAfterSuccessor(), refreshes: past.successful() },
    }
  } finally {
    await shifted.close()
    await service.close()
  }
}
