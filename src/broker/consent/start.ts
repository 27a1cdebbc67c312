import { type Environment, environmentFor } from '../company.ts'
import type { EpochSeconds } from '../connection.ts'
import type { Vault, VerifiedLink } from '../ports/crypto.ts'
import type { AuthorizationServer } from '../ports/intuit.ts'
import type { FlowSettings, Runtime } from '../ports/runtime.ts'
import type { ConnectionStore, StateStore } from '../ports/storage.ts'
import type { StartRequest } from './start-links.ts'
import { formatState, markedNonce } from './state.ts'

/** How long a record that never got connected lives. */
const UNFINISHED_SECONDS = 24 * 3600

export interface StartDeps {
  connections: ConnectionStore
  states: StateStore
  intuit: Pick<AuthorizationServer, 'authorizationUrl'>
  settings: Pick<FlowSettings, 'requireConsent'>
  vault: Vault
  runtime: Runtime
  stateTtlSeconds(): number
  /** Whether a consent ends in the browser that began it, or nowhere. */
  bindsBrowser(): boolean
  /** Resolves to the link if its signature was verified. Throws `invalid_start_link` where the link does not let in. */
  admit(request: StartRequest): Promise<VerifiedLink | undefined>
}

interface AdmittedStart extends StartRequest {
  link: VerifiedLink | undefined
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

/** The consent of a person (RFC 6749 section 4.1): the link out. */
export function createStart(deps: StartDeps) {
  const { connections, states, intuit, settings, vault, runtime, stateTtlSeconds, bindsBrowser, admit } = deps
  const nowSeconds = (): EpochSeconds => Math.floor(runtime.now() / 1000)

  const newState = async (request: AdmittedStart, environment: Environment, now: EpochSeconds) => {
    const { companyKey, companyName, link } = request
    const secret = bindsBrowser() ? runtime.nonce() : undefined
    const seconds = stateTtlSeconds()
    const nonce = markedNonce(environment, runtime.nonce())
    const browserHash = secret === undefined ? undefined : await vault.digest(secret)
    const lifetime = { createdAt: now, expiresAt: now + seconds }
    const state = { nonce, companyKey, companyName, environment, browserHash, link, ...lifetime }
    return { state, binding: secret === undefined ? undefined : { nonce, secret, seconds } }
  }

  /** Stores the state before the person is sent away with it. */
  return async (request: StartRequest): Promise<Started> => {
    const admitted = { ...request, link: await admit(request) }
    const { companyKey, companyName } = request
    const now = nowSeconds()
    const guess = environmentFor(companyKey, companyName ?? '')
    settings.requireConsent(guess)
    let begun = await newState(admitted, guess, now)
    const beginning = {
      companyName: companyName ?? companyKey,
      environment: guess,
      now,
      expiresAt: now + UNFINISHED_SECONDS,
    }
    const [, connection] = await Promise.all([states.put(begun.state), connections.begin(companyKey, beginning)])
    const environment = environmentFor(companyKey, companyName ?? connection.companyName)
    if (environment !== guess) {
      settings.requireConsent(environment)
      begun = await newState(admitted, environment, now)
      await states.put(begun.state)
    }
    const { state, binding } = begun
    return { authorizationUrl: intuit.authorizationUrl(environment, formatState(companyKey, state.nonce)), binding }
  }
}
