import { type Environment, environmentFor } from './company.ts'
import type { Connection, EpochMs, EpochSeconds } from './connection.ts'
import {
  authorizationDenied,
  connectionRemoved,
  exchangeFailed,
  invalidState,
  notStored,
  realmMismatch,
} from './consent-refusals.ts'
import { sealedPair } from './pair.ts'
import type {
  AuthorizationServer,
  ConnectionStore,
  Consent,
  KeepAlive,
  Log,
  StateStore,
  Surroundings,
  Vault,
} from './ports.ts'
import { retriedUntil } from './retry.ts'
import type { StartRequest } from './start-links.ts'
import type { Timing } from './timing.ts'

/** How long a record that never got connected lives. */
const UNFINISHED_SECONDS = 24 * 3600

export interface AuthorizePorts {
  connections: ConnectionStore
  states: StateStore
  intuit: AuthorizationServer
  vault: Vault
  surroundings: Surroundings
  timing(): Timing
  log: Log
  stateTtlSeconds(): number
  /** Whether a consent ends in the browser that began it, or nowhere. */
  bindsBrowser(): boolean
  /** Where a person begins the consent for a company anew; `undefined` where that takes a signed link. */
  startUrl(companyKey: string, companyName: string | undefined): string | undefined
  /** Throws `invalid_start_link` where the link does not let in. */
  admit(request: StartRequest): Promise<void>
}

/** Where to send the person, and what their browser has to present when it comes back. */
export interface Started {
  authorizationUrl: string
  binding: BrowserBinding | undefined
}

export interface BrowserBinding {
  /** Of the state that it belongs to. */
  nonce: string
  secret: string
  /** How long the state lives. */
  seconds: number
}

/** What comes back from Intuit with the person's browser, each parameter already checked for its form. */
export type CallbackParameters = {
  state: string
  realmId: string | undefined
  /** What the browser was given at start; `undefined` where it presents nothing. */
  browserSecret: string | undefined
} & ({ outcome: 'granted'; code: string } | { outcome: 'refused'; error: string })

/** `company_key:nonce`. What is not even of that form is not worth a question to the table. */
const splitState = (state: string) => {
  const [, companyKey, nonce] = /^([\w-]{1,64}):([\w-]{16,128})$/.exec(state) ?? []
  if (!companyKey || !nonce) throw invalidState()
  return { companyKey, nonce }
}

const holdsTokens = (connection: Connection) =>
  connection.accessToken !== undefined || connection.refreshToken !== undefined

const refuseOtherRealm = (connection: Connection, realmId: string | undefined) => {
  if (!holdsTokens(connection) || connection.realmId === undefined || connection.realmId === realmId) return
  throw realmMismatch(connection.companyKey)
}

/** The consent of a person (RFC 6749 section 4.1): the link out, and the way back. */
export const authorization = (ports: AuthorizePorts) => {
  const { connections, states, intuit, vault, surroundings, timing, log } = ports
  const { stateTtlSeconds, bindsBrowser, startUrl, admit } = ports
  const nowSeconds = (): EpochSeconds => Math.floor(surroundings.now() / 1000)

  const newState = async ({ companyKey, companyName }: StartRequest, environment: Environment, now: EpochSeconds) => {
    const secret = bindsBrowser() ? surroundings.nonce() : undefined
    const seconds = stateTtlSeconds()
    const nonce = surroundings.nonce()
    const browserHash = secret === undefined ? undefined : await vault.digest(secret)
    const state = { nonce, companyKey, companyName, environment, browserHash, createdAt: now, expiresAt: now + seconds }
    return { state, binding: secret === undefined ? undefined : { nonce, secret, seconds } }
  }

  /** Stores the state before the person is sent away with it. */
  const start = async (request: StartRequest): Promise<Started> => {
    await admit(request)
    const { companyKey, companyName } = request
    const now = nowSeconds()
    const guess = environmentFor(companyKey, companyName ?? '')
    intuit.requireClient(guess)
    const { state, binding } = await newState(request, guess, now)
    const beginning = {
      companyName: companyName ?? companyKey,
      environment: guess,
      now,
      expiresAt: now + UNFINISHED_SECONDS,
    }
    const [, connection] = await Promise.all([states.put(state), connections.begin(companyKey, beginning)])
    const environment = environmentFor(companyKey, companyName ?? connection.companyName)
    if (environment !== guess) {
      intuit.requireClient(environment)
      await states.put({ ...state, environment })
    }
    return { authorizationUrl: intuit.authorizationUrl(environment, `${companyKey}:${state.nonce}`), binding }
  }

  /**
   * A callback without the browser's secret spends nothing: neither can a planted link be followed to its end, nor can
   * somebody who has seen the address take the consent away from the person who is giving it.
   */
  const claimState = async ({ state, browserSecret }: CallbackParameters) => {
    const { companyKey, nonce } = splitState(state)
    const now = nowSeconds()
    const browserHash = browserSecret === undefined ? undefined : await vault.digest(browserSecret)
    const [claimed, connection] = await Promise.all([
      states.claim(nonce, companyKey, surroundings.nonce(), now, browserHash),
      connections.read(companyKey, now),
    ])
    if (!claimed) throw invalidState()
    return { claimed, connection }
  }

  /** Stores the first pair. A table that fails is tried again behind the answer: the code is spent, and nobody else has its tokens. */
  const connected = async (
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

  /** A later consent has connected the company as well; after a disconnect it takes another one. */
  const whatSupersedes = async (companyKey: string, again: string | undefined) => {
    const current = await connections.read(companyKey, nowSeconds())
    if (current && holdsTokens(current)) return current
    throw connectionRemoved(companyKey, again)
  }

  /**
   * Spends the state, then the code, and stores the pair. Everything that can be refused is refused before the code is
   * spent, and the code is presented once.
   */
  const finish = async (callback: CallbackParameters, keepAlive: KeepAlive): Promise<Connection> => {
    const deadline = surroundings.now() + timing().deadlineMs
    const { claimed, connection } = await claimState(callback)
    const { companyKey, environment } = claimed
    const again = startUrl(companyKey, claimed.companyName)
    if (callback.outcome === 'refused') throw authorizationDenied(companyKey, callback.error, again)
    if (!connection) throw connectionRemoved(companyKey, again)
    refuseOtherRealm(connection, callback.realmId)
    const answer = await intuit.exchange(environment, callback.code)
    if (!answer.ok) throw exchangeFailed(answer, companyKey, again)
    const consent = {
      companyName: claimed.companyName ?? connection.companyName,
      environment,
      realmId: callback.realmId,
      pair: await sealedPair(vault, companyKey, answer.pair),
      at: surroundings.now(),
      writer: surroundings.nonce(),
    }
    const stored = await connected(companyKey, consent, again, deadline, keepAlive)
    if (stored === 'another realm') throw realmMismatch(companyKey)
    return stored === 'superseded' ? whatSupersedes(companyKey, again) : stored
  }

  return { start, finish }
}
