import { Problem } from '../problem.ts'
import { environmentFor } from './company.ts'
import type { Connection, EpochMs, EpochSeconds } from './connection.ts'
import { sealedPair } from './pair.ts'
import type {
  AuthorizationServer,
  AuthorizationState,
  ConnectionStore,
  Consent,
  KeepAlive,
  Log,
  Refused,
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
  /** Where a person begins the consent for a company anew; `undefined` where that takes a signed link. */
  startUrl(companyKey: string, companyName: string | undefined): string | undefined
  /** Throws `invalid_start_link` where the link does not let in. */
  admit(request: StartRequest): Promise<void>
}

/** What comes back from Intuit with the person's browser, each parameter already checked for its form. */
export type CallbackParameters = { state: string; realmId: string | undefined } & (
  | { outcome: 'granted'; code: string }
  | { outcome: 'refused'; error: string }
)

const invalidState = () =>
  new Problem(
    'invalid_state',
    'This link was used, has expired or was altered. Begin again at /oauth/start/{company_key}.',
  )

const startAgain = (companyKey: string) => `Begin again at /oauth/start/${companyKey}.`

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

const realmMismatch = (companyKey: string) =>
  new Problem(
    'realm_mismatch',
    `The key ${companyKey} is connected to another QuickBooks company. Nothing was changed. ` +
      'Choose that company at Intuit, or connect this one under a key of its own.',
  )

const exchangeFailed = (answer: Refused, companyKey: string, startUrl: string | undefined) => {
  const { intuitTid } = answer
  switch (answer.refusal) {
    case 'invalid_client':
      return new Problem(
        'intuit_rejected_client',
        "Intuit does not accept this deployment's client id and secret. The operator has to correct them.",
        { intuitTid },
      )
    case 'unavailable':
      return new Problem('intuit_unavailable', `Intuit could not be reached. ${startAgain(companyKey)}`, {
        ...{ intuitTid, startUrl },
      })
    case 'invalid_grant':
      return new Problem('token_exchange_failed', `Intuit refused the code. ${startAgain(companyKey)}`, {
        ...{ intuitTid, startUrl },
      })
  }
}

const removedMeanwhile = (companyKey: string, startUrl: string | undefined) =>
  new Problem('connection_not_found', `The connection was removed meanwhile. ${startAgain(companyKey)}`, { startUrl })

const notStored = (companyKey: string, startUrl: string | undefined) =>
  new Problem(
    'storage_unavailable',
    `Intuit has agreed, but the tokens could not be stored yet. If the connection does not show in a minute: ${startAgain(companyKey)}`,
    { startUrl, headers: { 'Retry-After': '60' } },
  )

/** The consent of a person (RFC 6749 section 4.1): the link out, and the way back. */
export const authorization = (ports: AuthorizePorts) => {
  const { connections, states, intuit, vault, surroundings, timing, log, stateTtlSeconds, startUrl, admit } = ports
  const nowSeconds = (): EpochSeconds => Math.floor(surroundings.now() / 1000)

  /** Returns the URL to send the person to, with the state stored beforehand. */
  const start = async (request: StartRequest): Promise<string> => {
    await admit(request)
    const { companyKey, companyName } = request
    const now = nowSeconds()
    const guess = environmentFor(companyKey, companyName ?? '')
    intuit.requireClient(guess)
    const state: AuthorizationState = {
      nonce: surroundings.nonce(),
      companyKey,
      companyName,
      environment: guess,
      createdAt: now,
      expiresAt: now + stateTtlSeconds(),
    }
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
    return intuit.authorizationUrl(environment, `${companyKey}:${state.nonce}`)
  }

  const claimState = async (state: string) => {
    const { companyKey, nonce } = splitState(state)
    const now = nowSeconds()
    const [claimed, connection] = await Promise.all([
      states.claim(nonce, companyKey, surroundings.nonce(), now),
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
    throw removedMeanwhile(companyKey, again)
  }

  /**
   * Spends the state, then the code, and stores the pair. Everything that can be refused is refused before the code is
   * spent, and the code is presented once.
   */
  const finish = async (callback: CallbackParameters, keepAlive: KeepAlive): Promise<Connection> => {
    const deadline = surroundings.now() + timing().deadlineMs
    const { claimed, connection } = await claimState(callback.state)
    const { companyKey, environment } = claimed
    const again = startUrl(companyKey, claimed.companyName)
    if (callback.outcome === 'refused') {
      const reason =
        callback.error === 'access_denied' ? 'The request was denied at Intuit.' : 'Intuit refused the request.'
      throw new Problem('authorization_denied', `${reason} Nothing was connected. ${startAgain(companyKey)}`, {
        startUrl: again,
      })
    }
    if (!connection) {
      throw removedMeanwhile(companyKey, again)
    }
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
