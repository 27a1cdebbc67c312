import type { Environment } from '../company.ts'
import type { Connection, ConnectionChange, EpochMs, EpochSeconds } from '../connection.ts'
import type { Vault } from '../ports/crypto.ts'
import type { AuthorizationServer, ExchangeAnswer } from '../ports/intuit.ts'
import type { FlowSettings, WaitUntil } from '../ports/runtime.ts'
import type { AuthorizationState } from '../ports/storage.ts'
import type { RefreshLimit } from '../refresh/concurrency-limit.ts'
import { storeDeadline } from '../timing.ts'
import { encryptTokenPair } from '../token-pair.ts'
import type { TokenCache } from '../tokens/token-cache.ts'
import { authorizationDenied, connectionRemoved, exchangeFailed, notStored, tooSlow } from './errors.ts'
import { type ConsentOutcomeDeps, createConsentOutcome, type Visit } from './outcome.ts'
import { type ConsentContext, toConsentProblem } from './problem.ts'
import { type Arrival, createRealmGuard, type RealmGuardDeps, type RealmUse, refuseMove } from './realm-guard.ts'
import { parseState } from './state.ts'
import { createStoreConsent } from './store-consent.ts'

export interface CallbackDeps extends RealmGuardDeps, ConsentOutcomeDeps {
  intuit: AuthorizationServer
  vault: Vault
  settings: Pick<FlowSettings, 'requireConsent'>
  tokenCache: Pick<TokenCache, 'invalidate'>
  limit: Pick<RefreshLimit, 'noteAtRisk'>
}

/** What comes back from Intuit with the person's browser, each parameter already checked for its form. */
export type CallbackParameters = {
  state: string
  realmId: string | undefined
  /** What the browser was given at start; `undefined` where it presents nothing. */
  browserSecret: string | undefined
} & ({ outcome: 'granted'; code: string } | { outcome: 'refused'; error: string })

/** A consent that came to its end. */
export interface Connected {
  connection: Connection
  /** Whether the company is connected under another key as well. */
  sharesRealm: boolean
}

/** A consent whose pair is stored, and Intuit's id of the call that issued it. */
interface Completed extends Connected {
  intuitTid: string | undefined
}

/** A state that nobody else can claim any more, with the records that it concerns. */
interface ClaimedState {
  claimed: AuthorizationState
  connection: Connection | undefined
  /** The company key that the realm was last noted for. */
  holder: string | undefined
  /** When the state was claimed. Not earlier: the first response of the table may correct the clock. */
  claimedAt: EpochMs
}

/** A consent whose code may be used. */
interface Admitted {
  arrival: Arrival
  use: RealmUse
  code: string
  companyName: string
  after: ConnectionChange | undefined
}

/** Answers the caller before the consent has come to its end. */
type AnswerEarly = (problem: unknown) => void

/** A use of a code that Intuit granted. */
type GrantedExchange = Extract<ExchangeAnswer, { ok: true }>

/** The consent of a person (RFC 6749 section 4.1): the way back. */
export function createCallback(deps: CallbackDeps) {
  const { connections, realms, states, intuit, vault, settings, tokenCache, runtime, timing, log } = deps
  const realmUse = createRealmGuard(deps)
  const storeConsent = createStoreConsent(deps)
  const { recordEnd, describeEarlier } = createConsentOutcome(deps)
  const nowSeconds = (): EpochSeconds => Math.floor(runtime.now() / 1000)

  /** A state that nobody can use is refused as such, whatever else is wrong. */
  const requireSettings = async (environment: Environment, nonce: string) => {
    try {
      settings.requireConsent(environment)
    } catch (error) {
      const found = await states.read(nonce)
      if (found && !found.claim) throw error
    }
  }

  /**
   * A callback without the browser's secret uses nothing: neither can a planted link be followed to its end, nor can
   * somebody who has seen the address take the consent away from the person who is giving it. `undefined`: the state was
   * not this visit's to use.
   */
  const claimState = async (
    { companyKey, nonce, browserHash, claim }: Visit,
    { state, realmId }: CallbackParameters,
  ): Promise<ClaimedState | undefined> => {
    const { guess } = parseState(state)
    const holderIn = async (environment: Environment) =>
      realmId === undefined ? undefined : realms.findCompanyKey(environment, realmId)
    const [claimed, connection, guessed] = await Promise.all([
      states.claim(nonce, companyKey, claim, browserHash),
      connections.read(companyKey, nowSeconds()),
      holderIn(guess),
    ])
    if (!claimed) return undefined
    const claimedAt = runtime.now()
    const { environment } = claimed
    return { claimed, connection, claimedAt, holder: environment === guess ? guessed : await holderIn(environment) }
  }

  /** Everything that can be refused is refused here, before the code is used. */
  const admit = async (callback: CallbackParameters, state: ClaimedState): Promise<Admitted> => {
    const { claimed, connection, holder, claimedAt } = state
    const { companyKey, environment } = claimed
    if (callback.outcome === 'refused') throw authorizationDenied(callback.error)
    settings.requireConsent(environment)
    if (!connection) throw connectionRemoved()
    const arrival: Arrival = { companyKey, environment, realmId: callback.realmId }
    refuseMove(connection, arrival)
    const use = await realmUse.checkRealm(arrival, holder, nowSeconds())
    // Workers end all work of a caller who left: what Intuit answers then must still be stored.
    if (runtime.now() + timing().intuitMs > claimedAt + timing().deadlineMs) throw tooSlow()
    const companyName = claimed.companyName ?? connection.companyName
    return { arrival, use, code: callback.code, companyName, after: connection.lastChange }
  }

  /** Intuit's answer, also one for which the caller does not wait any more. */
  const exchange = async ({ arrival, code }: Admitted, answerEarly: AnswerEarly): Promise<GrantedExchange> => {
    const { answer, late } = await intuit.exchange(arrival.environment, code)
    if (answer.ok) return answer
    if (late !== undefined) answerEarly(exchangeFailed(answer))
    const later = await late
    if (later) log({ event: 'late_response', company_key: arrival.companyKey, intuit_tid: later.intuitTid })
    if (later?.ok) return later
    throw exchangeFailed(later ?? answer)
  }

  /** Uses the code and stores the pair. Leaves in `context` what is known of the connection meanwhile. */
  const redeem = async (
    visit: Visit,
    admitted: Admitted,
    { claimedAt }: ClaimedState,
    context: ConsentContext,
    answerEarly: AnswerEarly,
  ): Promise<Completed> => {
    const { arrival, use, companyName, after } = admitted
    const { companyKey, environment, realmId } = arrival
    const { pair: issued, intuitTid } = await exchange(admitted, answerEarly)
    const at = runtime.now()
    const pair = await encryptTokenPair(vault, companyKey, issued)
    const consent = { companyName, environment, realmId, pair, at, after, writer: visit.claim.id }
    context.connection = 'unknown'
    const [verdict] = await Promise.all([
      storeConsent({
        ...{ arrival, consent, refreshToken: issued.refreshToken },
        deadline: storeDeadline(timing(), at, claimedAt),
        onFailure: () => answerEarly(notStored()),
      }),
      realmUse.note(arrival, use, Math.floor(at / 1000)),
    ])
    if ('refused' in verdict) {
      context.connection = verdict.connection
      throw verdict.refused
    }
    tokenCache.invalidate(companyKey, verdict.stored.generation)
    return { connection: verdict.stored, sharesRealm: use.isShared, intuitTid }
  }

  /** Uses state and code, each once, and stores the pair. `undefined`: the state was used before, or is of no use. */
  const complete = async (
    visit: Visit,
    callback: CallbackParameters,
    answerEarly: AnswerEarly,
  ): Promise<Completed | undefined> => {
    const state = await claimState(visit, callback)
    if (!state) return undefined
    const context: ConsentContext = { state: state.claimed, connection: state.connection }
    const explain = (error: unknown, known = context) => toConsentProblem(error, known, deps, nowSeconds())
    const explainEarly = (problem: unknown) => {
      const told = explain(problem, { ...context, connection: 'unknown' })
      told.then(answerEarly, answerEarly)
    }
    try {
      const admitted = await admit(callback, state)
      return await redeem(visit, admitted, state, context, explainEarly)
    } catch (error) {
      throw await explain(error)
    }
  }

  const toEnd = async (completing: Promise<Completed | undefined>) => {
    const completed = await completing
    if (!completed) return undefined
    const { connection, intuitTid } = completed
    return { outcome: { connected: true as const, companyName: connection.companyName }, intuitTid }
  }

  /**
   * Finishes a consent. From the claim of the state on, everything runs to its end whether or not the caller waits. The
   * caller is answered when the pair is stored, when a first attempt to store it has failed, or when Intuit takes too long.
   */
  return async (callback: CallbackParameters, waitUntil: WaitUntil): Promise<Connected> => {
    const { companyKey, nonce, guess } = parseState(callback.state)
    if (callback.outcome === 'granted') await requireSettings(guess, nonce)
    const { browserSecret } = callback
    const browserHash = browserSecret === undefined ? undefined : await vault.digest(browserSecret)
    const claim = { id: runtime.nonce(), at: runtime.now() }
    const visit: Visit = { companyKey, nonce, browserHash, claim }
    const early = Promise.withResolvers<never>()
    const completing = complete(visit, callback, early.reject)
    waitUntil(recordEnd(visit, toEnd(completing)))
    const completed = await Promise.race([completing, early.promise])
    if (!completed) throw await describeEarlier(visit)
    return { connection: completed.connection, sharesRealm: completed.sharesRealm }
  }
}
