import { type Service, startService } from '../support/worker-harness.ts'
import { type Answer, type Company, connectCompany } from './company.ts'
import { type History, history } from './history.ts'
import { SCALED, scaledVars, sleep } from './scale.ts'
import { createTally, type Tally } from './tally.ts'
import { classifyLoss } from './verdict.ts'

/** How Intuit treats refresh tokens. */
export type Mode = 'strict' | 'own'

/** Strict: every refresh rotates, and the use of a superseded token ends the connection. */
const KNOBS = {
  strict: { rotateAfterSeconds: 0, reuseKills: true, supersededLivesSeconds: 0 },
  own: {},
} as const

const SETTLES_WITHIN_MS = 90_000
const LOOK_EVERY_MS = 200
/** The longest time of an attempt that begins at the deadline. */
const LAST_ATTEMPT_MS = 2_000

export interface World {
  mode: Mode
  service: Service
  history: History
  tally: Tally
  company(): Promise<Company>
  /** Waits until a company has its current token stored, with requests to the Workers `askers`. Classifies and reconnects a lost one. */
  settle(company: Company, askers: number[], round: CronState): Promise<void>
  /** The fault of a response. `undefined` for a valid token or a correct error. */
  untruth(answer: Answer, mayBlameIntuit: boolean): string | undefined
  violation(company: Company, round: CronState, what: string): void
  close(): Promise<void>
}

/** A refresh with faults. */
export interface CronState {
  label: string
  startedAt: number
  usedTokenHash: string
  ended: { at: number; parked: boolean } | undefined
}

/** Starts several Workers, a table, a rescue store and Intuit, and counts what happens. */
export const startWorld = async (mode: Mode, workers: number): Promise<World> => {
  const service = await startService({ workers, vars: scaledVars })
  await service.intuit.turn(KNOBS[mode])
  const past = history(service)
  const tally = createTally()
  let companies = 0

  const violation = (company: Company, round: CronState, what: string) => {
    tally.violations.push(
      `${mode}, ${company.key}: ${what}\n  ${round.label}\n${past.trace(company.key, [round.usedTokenHash], round.startedAt)}`,
    )
  }

  const classify = async (company: Company, round: CronState, livingHash: string) => {
    const wasStored = past.wasStored(livingHash)
    const loss = classifyLoss({ births: past.births(livingHash), wasStored, ended: round.ended })
    tally.losses[loss]++
    if (loss === 'coverable') {
      violation(company, round, `lost ${livingHash.slice(0, 8)}${wasStored ? ' though it was stored' : ''}`)
    }
    await company.connect()
  }

  /** Whether a token that is not stored can no longer arrive: it is neither parked nor on its way to the table. */
  const isBeyondReach = async ({ key }: Company, storedHash: string, quietForMs: number) =>
    quietForMs > SCALED.leaseMs + LAST_ATTEMPT_MS && (await service.findParked(key, storedHash)) === undefined

  const settle = async (company: Company, askers: number[], round: CronState) => {
    const from = performance.now()
    for (let turn = 0; performance.now() - from < SETTLES_WITHIN_MS; turn++) {
      const answer = await company.read(askers[turn % askers.length] ?? 0)
      const [grant, record] = await Promise.all([company.atIntuit(), company.record()])
      const isStored = grant.refreshTokenHash === record.refreshTokenHash
      if (grant.alive && isStored && answer.status === 200) return
      const quietForMs = performance.now() - from
      if (!grant.alive || (!isStored && (await isBeyondReach(company, record.refreshTokenHash, quietForMs)))) {
        return classify(company, round, grant.refreshTokenHash)
      }
      await company.passPause()
      await sleep(LOOK_EVERY_MS)
    }
    violation(company, round, 'does not come to rest')
    await company.connect()
  }

  const untruth = (answer: Answer, mayBlameIntuit: boolean): string | undefined => {
    if ('accessTokenHash' in answer) {
      if (!past.wasIssued(answer.accessTokenHash)) return 'a token that Intuit never gave'
      return answer.expiresAt * 1_000 > Date.now() ? undefined : 'a token that has expired'
    }
    const { status, code, retryAfter } = answer
    if (code === 'storage_unavailable' || code === 'refresh_in_progress')
      return Number(retryAfter) > 0 ? undefined : `${code} without Retry-After`
    if (mayBlameIntuit && (code === 'intuit_unavailable' || code === 'reconnect_required')) return undefined
    return `${status} ${code}`
  }

  return {
    ...{ mode, service, history: past, tally, settle, untruth, violation },
    company: () => {
      companies++
      return connectCompany(service, `company-${companies}`, String(1_000 + companies))
    },
    close: async () => {
      tally.calls = past.calls()
      tally.usedAfterSuccessor = past.usedAfterSuccessor()
      tally.recovered = service.logs().split('"event":"pair_recovered"').length - 1
      await service.close()
    },
  }
}
