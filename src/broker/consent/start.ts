import { type Environment, environmentFor } from '../company.ts'
import { type EpochSeconds, findOwnName } from '../connection.ts'
import type { Vault, VerifiedLink } from '../ports/crypto.ts'
import type { AuthorizationServer } from '../ports/intuit.ts'
import type { FlowSettings, Runtime } from '../ports/runtime.ts'
import type { AuthorizationState, ConnectionStore, StateStore } from '../ports/storage.ts'
import { nowSeconds } from '../timing.ts'
import type { StartRequest } from './start-links.ts'
import { createStateNonce, formatState } from './state.ts'

/** Lifetime of a record that is never connected. */
const UNFINISHED_SECONDS = 24 * 3600

/** What the start of a consent needs. */
export interface StartDeps {
  connections: ConnectionStore
  states: StateStore
  intuit: Pick<AuthorizationServer, 'authorizationUrl' | 'createBinding'>
  settings: Pick<FlowSettings, 'requireConsent'>
  vault: Vault
  runtime: Runtime
  /** Lifetime of a state. */
  stateTtlSeconds(): number
  /** Whether a consent can only be completed in the browser that started it. */
  bindsBrowser(): boolean
  /** Resolves to the verified link, if the request has one. Throws `invalid_start_link`. */
  authorizeStart(request: StartRequest): Promise<VerifiedLink | undefined>
}

/** A start request that is allowed. */
interface AuthorizedStart extends StartRequest {
  link: VerifiedLink | undefined
}

/** A state, and the browser that it is bound to. */
interface NewState {
  state: AuthorizationState
  browser: BrowserBinding | undefined
}

/** Where to redirect the person, and the secret that their browser sends when it comes back. */
export interface StartedConsent {
  authorizationUrl: string
  binding: BrowserBinding | undefined
}

/** The secret that binds a consent to the browser that started it. */
export interface BrowserBinding {
  /** The nonce of its state. */
  nonce: string
  secret: string
  /** Lifetime of the state, in seconds. */
  seconds: number
}

/** Creates a state. The caller stores it. */
async function createState(
  { intuit, vault, runtime, stateTtlSeconds, bindsBrowser }: StartDeps,
  { companyKey, companyName, link }: AuthorizedStart,
  environment: Environment,
  now: EpochSeconds,
): Promise<NewState> {
  const secret = bindsBrowser() ? runtime.nonce() : undefined
  const seconds = stateTtlSeconds()
  const nonce = createStateNonce(environment, runtime.nonce())
  const browserHash = secret === undefined ? undefined : await vault.digest(secret)
  const lifetime = { createdAt: now, expiresAt: now + seconds }
  const binding = intuit.createBinding()
  const state = { nonce, companyKey, companyName, environment, browserHash, link, binding, ...lifetime }
  return { state, browser: secret === undefined ? undefined : { nonce, secret, seconds } }
}

/**
 * Creates the first half of a consent (RFC 6749 section 4.1): the redirect to Intuit. The state is stored before the
 * function resolves. Throws `invalid_start_link`, `configuration_error` and `storage_unavailable`.
 */
export function createStart(deps: StartDeps) {
  const { connections, states, intuit, settings, runtime, authorizeStart } = deps

  return async (request: StartRequest): Promise<StartedConsent> => {
    const authorized = { ...request, link: await authorizeStart(request) }
    const { companyKey, companyName } = request
    const now = nowSeconds(runtime)
    const assumed = environmentFor(companyKey, companyName ?? '')
    settings.requireConsent(assumed)
    let created = await createState(deps, authorized, assumed, now)
    const beginning = {
      companyName: companyName ?? companyKey,
      environment: assumed,
      now,
      expiresAt: now + UNFINISHED_SECONDS,
    }
    const [, connection] = await Promise.all([states.put(created.state), connections.begin(companyKey, beginning)])
    // Without a name in the request, the name of a connected record decides. It is known only now.
    const environment = environmentFor(companyKey, companyName ?? findOwnName(connection))
    if (environment !== assumed) {
      settings.requireConsent(environment)
      created = await createState(deps, authorized, environment, now)
      await states.put(created.state)
    }
    const { state, browser } = created
    const sent = formatState(companyKey, state.nonce)
    return { authorizationUrl: await intuit.authorizationUrl(environment, sent, state.binding), binding: browser }
  }
}
