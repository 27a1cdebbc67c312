import { startService } from '../support/worker-harness.ts'
import { type Company, connectCompany } from './company.ts'
import { history } from './history.ts'
import { sleep } from './scale.ts'
import { classifyLoss } from './verdict.ts'

const CONNECTED_AT_ONCE = 16
const REFUSED_PAUSE_MS = 200

interface ThrottledOptions {
  vars: Record<string, string>
  workers: number
  connections: number
  callers: number
  writesPerSecond: number
  /** How long callers send requests. */
  forMs: number
  /** From the last request to the last attempt to store. */
  settlesMs: number
}

export interface ThrottledOutcome {
  connections: number
  callers: number
  writesPerSecond: number
  workers: number
  /** Successful refreshes, all with rotation. */
  rotated: number
  /** Those of them whose token pair is not stored in the end. */
  lost: number
  /** Those of the lost ones whose response reached a Worker in time. */
  coverable: number
  usedAfterSuccessor: number
  /** Writes that the table throttled. */
  throttled: number
  answered: number
  /** The number of other responses by problem code. */
  errors: Record<string, number>
}

/** DynamoDB's token bucket: it holds the writes of one second and refills continuously. */
const bucket = (perSecond: number) => {
  let level = perSecond
  let at = performance.now()
  return (): boolean => {
    const now = performance.now()
    level = Math.min(perSecond, level + ((now - at) / 1_000) * perSecond)
    at = now
    if (level < 1) return false
    level--
    return true
  }
}

const connectAll = async (service: Parameters<typeof connectCompany>[0], count: number) => {
  const companies: Company[] = []
  let next = 0
  const lane = async () => {
    while (next < count) {
      const index = next++
      companies.push(await connectCompany(service, `company-${index}`, String(1_000 + index)))
    }
  }
  await Promise.all(Array.from({ length: CONNECTED_AT_ONCE }, lane))
  return companies
}

/**
 * Throttles the writes of a table while callers request more expired tokens than it can store. Intuit rotates at every
 * refresh. Without a rescue store, a token pair that the table does not store in time is lost.
 */
export const throttleTable = async (options: ThrottledOptions): Promise<ThrottledOutcome> => {
  const { vars, workers, connections, callers, writesPerSecond, forMs, settlesMs } = options
  const service = await startService({ vars: { TOKEN_CACHE_SECONDS: '0', ...vars }, workers, rescue: 'none' })
  try {
    const companies = await connectAll(service, connections)
    await service.intuit.turn({ rotateAfterSeconds: 0, reuseKills: true })
    await Promise.all(companies.map((company) => company.expire()))
    const take = bucket(writesPerSecond)
    const throttling = service.dynamo.fault({
      ...{ kind: 'error', status: 400, type: 'ProvisionedThroughputExceededException' },
      when: ({ operation }) => operation === 'UpdateItem' && !take(),
    })
    const outcome = { answered: 0, errors: new Map<string, number>() }
    const from = performance.now()
    let next = 0
    const apiClient = async (_: unknown, index: number) => {
      while (performance.now() - from < forMs) {
        const company = companies[next++ % companies.length]
        const answer = await company?.read(index % workers)
        if (answer && 'code' in answer) {
          outcome.errors.set(answer.code, (outcome.errors.get(answer.code) ?? 0) + 1)
          await sleep(REFUSED_PAUSE_MS)
        } else outcome.answered++
      }
    }
    await Promise.all(Array.from({ length: callers }, apiClient))
    await sleep(settlesMs)
    throttling.lift()
    const past = history(service)
    const { grants } = await service.intuit.state()
    const stored = new Set((await service.dynamo.all()).flatMap(({ refresh_token_hash: hash }) => hash?.S ?? []))
    const lost = grants.filter(({ alive, refreshTokenHash }) => !alive || !stored.has(refreshTokenHash))
    const isCoverable = (hash: string) =>
      classifyLoss({ births: past.births(hash), wasStored: past.wasStored(hash), ended: undefined }) === 'coverable'
    return {
      ...{ connections, callers, writesPerSecond, workers },
      rotated: past.successful(),
      lost: lost.length,
      coverable: lost.filter(({ refreshTokenHash }) => isCoverable(refreshTokenHash)).length,
      usedAfterSuccessor: past.usedAfterSuccessor(),
      throttled: throttling.struck.length,
      answered: outcome.answered,
      errors: Object.fromEntries(outcome.errors),
    }
  } finally {
    await service.close()
  }
}
