import type { Environment } from '../company.ts'
import type { WaitUntil } from '../ports/runtime.ts'
import {
  type CallbackDeps,
  type CallbackParameters,
  type CompletedConsent,
  claimConsent,
  completeConsent,
  type RespondEarly,
} from './complete-consent.ts'
import { describeEarlierVisit, recordOutcome, type Visit, type VisitEnd } from './outcome.ts'
import { parseState } from './state.ts'

export type { CallbackDeps, CallbackParameters }

/** The result of a successful callback. */
export type Connected = Omit<CompletedConsent, 'intuitTid'>

/**
 * Throws `configuration_error` before the state is claimed, so that the same link works once the operator has corrected
 * the configuration. A state that is unknown or used is reported as such, so this throws nothing for it.
 */
async function requireSettings({ settings, states }: CallbackDeps, environment: Environment, nonce: string) {
  try {
    settings.requireConsent(environment)
  } catch (error) {
    const state = await states.read(nonce)
    if (state && !state.claim) throw error
  }
}

/** Claims the state and completes the consent. `undefined`: this visit must not use the state. */
async function runConsent(deps: CallbackDeps, visit: Visit, callback: CallbackParameters, respondEarly: RespondEarly) {
  const consent = await claimConsent(deps, visit, callback)
  return consent && completeConsent(consent, respondEarly)
}

async function toVisitEnd(running: Promise<CompletedConsent | undefined>): Promise<VisitEnd | undefined> {
  const completed = await running
  if (!completed) return undefined
  const { connection, intuitTid } = completed
  return { outcome: { connected: true, companyName: connection.companyName }, intuitTid }
}

/**
 * Creates the second half of a consent (RFC 6749 section 4.1): Intuit redirects the person back with a code.
 *
 * Once the state is claimed, the consent runs to its end under `waitUntil`, even if the caller disconnects. The caller
 * gets its response when the token pair is stored, when the first attempt to store it fails, or when Intuit exceeds its
 * time limit. The function throws the problem of a failed consent. If the state was used before, it throws the outcome
 * of the visit that used it.
 */
export function createCallback(deps: CallbackDeps) {
  const { vault, runtime } = deps

  return async (callback: CallbackParameters, waitUntil: WaitUntil): Promise<Connected> => {
    const { companyKey, nonce, environmentHint } = parseState(callback.state)
    if (callback.outcome === 'granted') await requireSettings(deps, environmentHint, nonce)
    const { browserSecret } = callback
    const browserHash = browserSecret === undefined ? undefined : await vault.digest(browserSecret)
    const visit: Visit = { companyKey, nonce, browserHash, claim: { id: runtime.nonce(), at: runtime.now() } }
    const early = Promise.withResolvers<never>()
    const running = runConsent(deps, visit, callback, early.reject)
    waitUntil(recordOutcome(deps, visit, toVisitEnd(running)))
    const completed = await Promise.race([running, early.promise])
    if (!completed) throw await describeEarlierVisit(deps, visit)
    return { connection: completed.connection, sharesRealm: completed.sharesRealm }
  }
}
