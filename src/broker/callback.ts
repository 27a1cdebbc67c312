import type { Environment } from './company.ts'
import { type Connection, type EpochMs, type EpochSeconds, holdsTokens } from './connection.ts'
import { authorizationDenied, connectionRemoved, exchangeFailed, invalidState, notStored } from './consent-refusals.ts'
import { sealedPair } from './pair.ts'
import type { AuthorizationServer, Consent, KeepAlive, StateStore, Surroundings, Vault } from './ports.ts'
import { type Arrival, type RealmPorts, realmUses, refuseMove } from './realm.ts'
import { retriedUntil } from './retry.ts'
import { splitState } from './state.ts'
import type { Timing } from './timing.ts'

export interface CallbackPorts extends RealmPorts {
  states: StateStore
  intuit: AuthorizationServer
  vault: Vault
  surroundings: Surroundings
  timing(): Timing
  /** Where a person begins the consent for a company anew; `undefined` where that takes a signed link. */
  startUrl(companyKey: string, companyName: string | undefined): string | undefined
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

/** The consent of a person (RFC 6749 section 4.1): the way back. */
export function finishing(ports: CallbackPorts) {
  const { connections, realms, states, intuit, vault, surroundings, timing, log, startUrl } = ports
  const realmUse = realmUses(ports)
  const nowSeconds = (): EpochSeconds => Math.floor(surroundings.now() / 1000)

  /**
   * A callback without the browser's secret spends nothing: neither can a planted link be followed to its end, nor can
   * somebody who has seen the address take the consent away from the person who is giving it.
   */
  const claimState = async ({ state, realmId, browserSecret }: CallbackParameters) => {
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

  /** Spends the state. Everything that can be refused is refused here, before the code is spent. */
  const admitted = async (callback: CallbackParameters) => {
    const { claimed, connection, holder } = await claimState(callback)
    const { companyKey, environment } = claimed
    const again = startUrl(companyKey, claimed.companyName)
    if (callback.outcome === 'refused') throw authorizationDenied(companyKey, callback.error, again)
    if (!connection) throw connectionRemoved(companyKey, again)
    const arrival: Arrival = { companyKey, environment, realmId: callback.realmId }
    refuseMove(connection, arrival)
    const use = await realmUse.judge(arrival, holder, nowSeconds())
    return { arrival, use, again, code: callback.code, companyName: claimed.companyName ?? connection.companyName }
  }

  /** Stores the first pair. A table that fails is tried again behind the answer: the code is spent, and nobody else has its tokens. */
  const stored = async (
    companyKey: string,
    consent: Consent,
    again: string | undefined,
    deadline: EpochMs,
    keepAlive: KeepAlive,
  ) => {
    const attempt = () => connections.connect(companyKey, consent)
    try {
      return await attempt()
    } catch {
      const onFailure = () => log({ event: 'pair_write_failed', company_key: companyKey })
      onFailure()
      keepAlive(retriedUntil(attempt, deadline, surroundings, onFailure))
      throw notStored(companyKey, again)
    }
  }

  /** Spends state and code, each once, and stores the pair. */
  return async (callback: CallbackParameters, keepAlive: KeepAlive): Promise<Connected> => {
    const deadline = surroundings.now() + timing().deadlineMs
    const { arrival, use, again, code, companyName } = await admitted(callback)
    const { companyKey, environment, realmId } = arrival
    const { answer } = await intuit.exchange(environment, code)
    if (!answer.ok) throw exchangeFailed(answer, companyKey, again)
    const at = surroundings.now()
    const pair = await sealedPair(vault, companyKey, answer.pair)
    const consent = { companyName, environment, realmId, pair, at, writer: surroundings.nonce() }
    const [connection] = await Promise.all([
      stored(companyKey, consent, again, deadline, keepAlive),
      realmUse.note(arrival, use, Math.floor(at / 1000)),
    ])
    // Another consent may have come in between, or a disconnect.
    if (!holdsTokens(connection)) throw connectionRemoved(companyKey, again)
    refuseMove(connection, arrival)
    return { connection, sharesRealm: use.isShared }
  }
}
