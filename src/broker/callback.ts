import type { Environment } from './company.ts'
import { type Connection, type EpochMs, type EpochSeconds, holdsTokens } from './connection.ts'
import { type ConsentContext, type StartAgain, toConsentProblem } from './consent-problem.ts'
import { authorizationDenied, connectionRemoved, exchangeFailed, invalidState, notStored } from './consent-refusals.ts'
import { sealedPair } from './pair.ts'
import type {
  AuthorizationServer,
  AuthorizationState,
  Consent,
  KeepAlive,
  StateStore,
  Surroundings,
  Vault,
} from './ports.ts'
import { type Arrival, type RealmPorts, realmUses, refuseMove } from './realm.ts'
import { retriedUntil } from './retry.ts'
import { splitState } from './state.ts'
import type { Timing } from './timing.ts'

export interface CallbackPorts extends RealmPorts, StartAgain {
  states: StateStore
  intuit: AuthorizationServer
  vault: Vault
  surroundings: Surroundings
  timing(): Timing
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

/** A state that nobody else can claim any more, with the records that it concerns. */
interface ClaimedState {
  claimed: AuthorizationState
  connection: Connection | undefined
  /** The company key that the realm was last noted for. */
  holder: string | undefined
}

/** The consent of a person (RFC 6749 section 4.1): the way back. */
export function finishing(ports: CallbackPorts) {
  const { connections, realms, states, intuit, vault, surroundings, timing, log } = ports
  const realmUse = realmUses(ports)
  const nowSeconds = (): EpochSeconds => Math.floor(surroundings.now() / 1000)

  /**
   * A callback without the browser's secret spends nothing: neither can a planted link be followed to its end, nor can
   * somebody who has seen the address take the consent away from the person who is giving it.
   */
  const claimState = async ({ state, realmId, browserSecret }: CallbackParameters): Promise<ClaimedState> => {
    const { companyKey, nonce, guess } = splitState(state)
    const now = nowSeconds()
    const browserHash = browserSecret === undefined ? undefined : await vault.digest(browserSecret)
    const holderIn = async (environment: Environment) =>
      realmId === undefined ? undefined : realms.holder(environment, realmId)
    const [claimed, connection, guessed] = await Promise.all([
      states.claim(nonce, companyKey, surroundings.nonce(), now, browserHash),
      connections.read(companyKey, now),
      holderIn(guess),
    ])
    if (!claimed) throw invalidState()
    const { environment } = claimed
    return { claimed, connection, holder: environment === guess ? guessed : await holderIn(environment) }
  }

  /** Everything that can be refused is refused here, before the code is spent. */
  const admitted = async (callback: CallbackParameters, { claimed, connection, holder }: ClaimedState) => {
    const { companyKey, environment } = claimed
    if (callback.outcome === 'refused') throw authorizationDenied(callback.error)
    if (!connection) throw connectionRemoved()
    const arrival: Arrival = { companyKey, environment, realmId: callback.realmId }
    refuseMove(connection, arrival)
    const use = await realmUse.judge(arrival, holder, nowSeconds())
    return { arrival, use, code: callback.code, companyName: claimed.companyName ?? connection.companyName }
  }

  /** Stores the first pair. A table that fails is tried again behind the answer: the code is spent, and nobody else has its tokens. */
  const stored = async (companyKey: string, consent: Consent, deadline: EpochMs, keepAlive: KeepAlive) => {
    const attempt = () => connections.connect(companyKey, consent)
    try {
      return await attempt()
    } catch {
      const onFailure = () => log({ event: 'pair_write_failed', company_key: companyKey })
      onFailure()
      keepAlive(retriedUntil(attempt, deadline, surroundings, onFailure))
      throw notStored()
    }
  }

  /** Spends the code and stores the pair. Leaves in `context` what is known of the connection meanwhile. */
  const complete = async (
    callback: CallbackParameters,
    state: ClaimedState,
    context: ConsentContext,
    deadline: EpochMs,
    keepAlive: KeepAlive,
  ): Promise<Connected> => {
    const { arrival, use, code, companyName } = await admitted(callback, state)
    const { companyKey, environment, realmId } = arrival
    const { answer } = await intuit.exchange(environment, code)
    if (!answer.ok) throw exchangeFailed(answer)
    const at = surroundings.now()
    const pair = await sealedPair(vault, companyKey, answer.pair)
    const consent = { companyName, environment, realmId, pair, at, writer: surroundings.nonce() }
    context.connection = 'unknown'
    const [connection] = await Promise.all([
      stored(companyKey, consent, deadline, keepAlive),
      realmUse.note(arrival, use, Math.floor(at / 1000)),
    ])
    context.connection = connection
    // Another consent may have come in between, or a disconnect.
    if (!holdsTokens(connection)) throw connectionRemoved()
    refuseMove(connection, arrival)
    return { connection, sharesRealm: use.isShared }
  }

  /** Spends state and code, each once, and stores the pair. */
  return async (callback: CallbackParameters, keepAlive: KeepAlive): Promise<Connected> => {
    const deadline = surroundings.now() + timing().deadlineMs
    const state = await claimState(callback)
    const context: ConsentContext = { state: state.claimed, connection: state.connection }
    try {
      return await complete(callback, state, context, deadline, keepAlive)
    } catch (error) {
      throw await toConsentProblem(error, context, ports, nowSeconds())
    }
  }
}
