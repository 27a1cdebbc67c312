import { Problem, toProblemCode } from '../../problem.ts'
import { holdsTokens } from '../connection.ts'
import { pollUntil } from '../poll.ts'
import type { Log, Runtime } from '../ports/runtime.ts'
import type { ConnectionStore, ConsentOutcome, FoundState, StateClaim, StateStore } from '../ports/storage.ts'
import { retryUntil } from '../retry.ts'
import { nowSeconds, type Timing } from '../timing.ts'
import { invalidState, linkUnfinished, linkUsed } from './errors.ts'
import { type StartAgainDeps, toConsentProblem } from './problem.ts'

/** What recording and finding the outcome of a consent needs. */
export interface ConsentOutcomeDeps extends StartAgainDeps {
  connections: ConnectionStore
  states: StateStore
  runtime: Runtime
  timing(): Timing
  log: Log
}

/** One request to the callback URL. */
export interface Visit {
  companyKey: string
  nonce: string
  /** SHA-256 of the secret that the browser sends. */
  browserHash: string | undefined
  claim: StateClaim
}

/** How a visit ended. */
export interface VisitEnd {
  outcome: ConsentOutcome
  intuitTid: string | undefined
}

/** How long to retry the write of an outcome. Only the problem of a repeated visit depends on it. */
const RECORD_MS = 5_000

function toFailedEnd(error: unknown): VisitEnd {
  return {
    outcome: { connected: false, code: toProblemCode(error) },
    intuitTid: error instanceof Problem ? error.intuitTid : undefined,
  }
}

function logOutcome({ log }: ConsentOutcomeDeps, { companyKey }: Visit, { outcome, intuitTid }: VisitEnd) {
  log({
    event: outcome.connected ? 'consent_completed' : 'consent_failed',
    company_key: companyKey,
    code: outcome.connected ? undefined : outcome.code,
    intuit_tid: intuitTid,
  })
}

/**
 * Logs how a visit ended and records it on the state, whether it succeeded or failed. `ended` resolves to `undefined` if
 * the visit could not claim the state. Never rejects.
 */
export async function recordOutcome(
  deps: ConsentOutcomeDeps,
  visit: Visit,
  ended: Promise<VisitEnd | undefined>,
): Promise<void> {
  const { states, runtime, log } = deps
  const end = await ended.catch(toFailedEnd)
  if (!end) return
  logOutcome(deps, visit, end)
  const write = () => states.settle(visit.nonce, visit.claim.id, end.outcome)
  const recorded = await retryUntil(write, runtime.now() + RECORD_MS, runtime)
  if (!recorded) log({ event: 'consent_outcome_not_recorded', company_key: visit.companyKey })
}

/** When a visit that claimed a state has certainly ended. */
function visitDeadline({ timing }: ConsentOutcomeDeps, claim: StateClaim) {
  return claim.at + timing().deadlineMs
}

/** The outcome of a visit that stored its token pair and ended before it recorded the outcome. */
async function findOutcomeOnConnection(
  { connections, runtime }: ConsentOutcomeDeps,
  companyKey: string,
  claim: StateClaim,
): Promise<ConsentOutcome | undefined> {
  const connection = await connections.read(companyKey, nowSeconds(runtime))
  const isByVisit = connection?.lastChange?.by === claim.id && holdsTokens(connection)
  return isByVisit ? { connected: true, companyName: connection.companyName } : undefined
}

/** The outcome of the visit that used the state. Waits for a visit that is in progress, but not beyond `waitMs`. */
async function findOutcome(deps: ConsentOutcomeDeps, { nonce, companyKey, outcome }: FoundState, claim: StateClaim) {
  if (outcome) return outcome
  const { states, runtime, timing } = deps
  const giveUpAt = Math.min(runtime.now() + timing().waitMs, visitDeadline(deps, claim))
  const recorded = await pollUntil(async () => (await states.read(nonce))?.outcome, giveUpAt, runtime)
  return recorded ?? findOutcomeOnConnection(deps, companyKey, claim)
}

/**
 * The problem of a visit whose state is used: the outcome of the earlier visit. Another browser learns only that the
 * state is invalid.
 */
export async function describeEarlierVisit(
  deps: ConsentOutcomeDeps,
  { companyKey, nonce, browserHash }: Visit,
): Promise<unknown> {
  const { states, connections, runtime } = deps
  const state = await states.read(nonce)
  const isSameLink = state?.companyKey === companyKey
  const isSameBrowser = state?.browserHash === undefined || state.browserHash === browserHash
  if (!state?.claim || !isSameLink || !isSameBrowser) return invalidState()
  const outcome = await findOutcome(deps, state, state.claim)
  if (outcome?.connected) return linkUsed(companyKey, outcome)
  const isInProgress = runtime.now() < visitDeadline(deps, state.claim)
  const problem = outcome ? linkUsed(companyKey, outcome) : linkUnfinished(isInProgress)
  const now = nowSeconds(runtime)
  const connection = outcome ? await connections.read(companyKey, now) : 'unknown'
  return toConsentProblem(problem, { state, connection }, deps, now)
}
