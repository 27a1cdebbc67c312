import { Problem } from '../../problem.ts'
import { holdsTokens } from '../connection.ts'
import { pollUntil } from '../poll.ts'
import type { Log, Runtime } from '../ports/runtime.ts'
import type { ConnectionStore, ConsentOutcome, FoundState, StateClaim, StateStore } from '../ports/storage.ts'
import { retryUntil } from '../retry.ts'
import type { Timing } from '../timing.ts'
import { invalidState, linkUnfinished, linkUsed } from './errors.ts'
import { type StartAgain, toConsentProblem } from './problem.ts'

export interface ConsentOutcomeDeps extends StartAgain {
  connections: ConnectionStore
  states: StateStore
  runtime: Runtime
  timing(): Timing
  log: Log
}

/** One opening of the address that Intuit sent a person back to. */
export interface Visit {
  companyKey: string
  nonce: string
  /** SHA-256 of what the browser presents. */
  browserHash: string | undefined
  claim: StateClaim
}

/** The end of a visit, for the log. */
export interface VisitEnd {
  outcome: ConsentOutcome
  intuitTid: string | undefined
}

/** How long to try to record an outcome. It is what a second visit is told, and nothing else hangs on it. */
const RECORD_MS = 5_000

function toFailure(error: unknown): VisitEnd {
  const isKnown = error instanceof Problem
  return {
    outcome: { connected: false, code: isKnown ? error.code : 'internal_error' },
    intuitTid: isKnown ? error.intuitTid : undefined,
  }
}

/** What became of a visit: recorded on its state and in the log, and told to whoever opens the same address again. */
export function createConsentOutcome(deps: ConsentOutcomeDeps) {
  const { connections, states, runtime, timing, log } = deps
  const livesUntil = (claim: StateClaim) => claim.at + timing().deadlineMs

  const record = async ({ companyKey, nonce, claim }: Visit, { outcome, intuitTid }: VisitEnd) => {
    log({
      event: outcome.connected ? 'consent_completed' : 'consent_failed',
      company_key: companyKey,
      code: outcome.connected ? undefined : outcome.code,
      intuit_tid: intuitTid,
    })
    const write = () => states.settle(nonce, claim.id, outcome)
    const recorded = await retryUntil(write, runtime.now() + RECORD_MS, runtime)
    if (!recorded) log({ event: 'consent_outcome_not_recorded', company_key: companyKey })
  }

  /** A visit that stored its pair, and that ended before it could say so. */
  const findOnRecord = async (companyKey: string, claim: StateClaim): Promise<ConsentOutcome | undefined> => {
    const connection = await connections.read(companyKey, Math.floor(runtime.now() / 1000))
    const isByVisit = connection?.lastChange?.by === claim.id && holdsTokens(connection)
    return isByVisit ? { connected: true, companyName: connection.companyName } : undefined
  }

  const find = async ({ nonce, companyKey, outcome }: FoundState, claim: StateClaim) => {
    if (outcome) return outcome
    const giveUpAt = Math.min(runtime.now() + timing().waitMs, livesUntil(claim))
    const settled = await pollUntil(async () => (await states.read(nonce))?.outcome, giveUpAt, runtime)
    return settled ?? findOnRecord(companyKey, claim)
  }

  return {
    /** Records the end of a visit, whichever it is. `undefined`: the state was not its to use. Never rejects. */
    recordEnd: async (visit: Visit, ended: Promise<VisitEnd | undefined>): Promise<void> => {
      const end = await ended.catch(toFailure)
      if (end) await record(visit, end)
    },

    /** The problem of a visit whose state is used: what the earlier visit came to, for the same browser alone. */
    describeEarlier: async ({ companyKey, nonce, browserHash }: Visit): Promise<unknown> => {
      const found = await states.read(nonce)
      const isSameLink = found?.companyKey === companyKey
      const isSameBrowser = found?.browserHash === undefined || found.browserHash === browserHash
      if (!found?.claim || !isSameLink || !isSameBrowser) return invalidState()
      const outcome = await find(found, found.claim)
      if (outcome?.connected) return linkUsed(companyKey, outcome)
      const isUnderWay = runtime.now() < livesUntil(found.claim)
      const problem = outcome ? linkUsed(companyKey, outcome) : linkUnfinished(isUnderWay)
      const now = Math.floor(runtime.now() / 1000)
      const connection = outcome ? await connections.read(companyKey, now) : 'unknown'
      return toConsentProblem(problem, { state: found, connection }, deps, now)
    },
  }
}
