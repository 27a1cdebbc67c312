import { Problem } from '../problem.ts'
import type { Environment } from './company.ts'
import {
  type Connection,
  type Disconnection,
  type EpochMs,
  type EpochSeconds,
  holdsTokens,
  type Revocation,
} from './connection.ts'
import { connectionNotFound, refreshInProgress } from './errors.ts'
import { pollUntil } from './poll.ts'
import type { Vault } from './ports/crypto.ts'
import type { AuthorizationServer, RevocationResult } from './ports/intuit.ts'
import type { FlowSettings, Log, Runtime, WaitUntil } from './ports/runtime.ts'
import type { ConnectionStore, DisconnectionStore, RealmStore, Rescue, Settlement } from './ports/storage.ts'
import { retryUntil } from './retry.ts'
import type { Timing } from './timing.ts'
import { openToken } from './token-pair.ts'
import type { TokenCache } from './tokens/token-cache.ts'

/** Each attempt that meets a refresh reads again; nobody refreshes that often. */
const ERASE_ATTEMPTS = 5
/** Between attempts to revoke, in the background. */
const PAUSES_MS = [1_000, 3_000, 6_000]
/** How long Intuit may take to revoke (`revocation.ts`). */
const REVOKE_MS = 5_000

export interface DisconnectDeps {
  connections: ConnectionStore
  disconnections: DisconnectionStore
  realms: RealmStore
  rescue: Rescue | undefined
  intuit: Pick<AuthorizationServer, 'revoke'>
  settings: Pick<FlowSettings, 'requireDisconnect'>
  vault: Vault
  runtime: Runtime
  timing(): Timing
  log: Log
  tokenCache: TokenCache
}

/** What is known of a connection that holds no tokens any more. */
export interface Disconnected {
  companyKey: string
  /** `none`: there was nothing to revoke. */
  revocation: Revocation | 'none'
  intuitTid: string | undefined
}

/** A revocation to ask Intuit for. */
interface Task {
  companyKey: string
  environment: Environment
  /** `undefined`: no token could be decrypted. */
  token: string | undefined
  /** Who erased the tokens. */
  writer: string
  deadline: EpochMs
}

function settledAs(outcome: RevocationResult['outcome']): Settlement['revocation'] {
  return outcome === 'revoked' ? 'confirmed' : 'unconfirmed'
}

/** What an earlier disconnect came to. */
function asRecorded(companyKey: string, recorded: Disconnection | undefined): Disconnected {
  const { revocation, intuitTid } = recorded ?? { revocation: 'none', intuitTid: undefined }
  return { companyKey, revocation, intuitTid }
}

/** Ends a connection: here first, then at Intuit, so that nothing that Intuit does keeps a token in use. */
export function createDisconnect(deps: DisconnectDeps) {
  const { connections, disconnections, realms, rescue, intuit, settings, vault, runtime, timing, log } = deps
  const { tokenCache } = deps
  const nowSeconds = (): EpochSeconds => Math.floor(runtime.now() / 1000)

  /** The newest token that can be decrypted: a parked successor's, the stored one's. `undefined`: none can, and erasing goes on. */
  const findToken = async ({ companyKey, accessToken, refreshToken, refreshTokenHash }: Connection) => {
    const parked = refreshTokenHash && (await rescue?.find(companyKey, refreshTokenHash).catch(() => undefined))
    const candidates = [
      ['refresh_token', parked ? parked.pair.refreshToken : undefined],
      ['refresh_token', refreshToken],
      ['access_token', accessToken],
    ] as const
    for (const [name, stored] of candidates) {
      const token = stored && (await openToken(vault, companyKey, name, stored).catch(() => undefined))
      if (token) return { stored, token }
    }
    return { stored: undefined, token: undefined }
  }

  /** The token that an earlier disconnect kept: encrypted as the attribute that it was taken from. */
  const findKeptToken = async (companyKey: string, { token: stored }: Disconnection) => {
    for (const name of ['refresh_token', 'access_token'] as const) {
      const token = stored && (await openToken(vault, companyKey, name, stored).catch(() => undefined))
      if (token) return token
    }
    return undefined
  }

  /** What stands beside the record is of no use without it, and harmless if it stays. */
  const forgetTraces = async ({ companyKey, environment, realmId, refreshTokenHash }: Connection) => {
    await Promise.allSettled([
      realmId === undefined ? undefined : realms.remove(environment, realmId, companyKey),
      refreshTokenHash === undefined ? undefined : rescue?.remove(companyKey, refreshTokenHash),
    ])
  }

  /** Takes the tokens from the record, whatever refreshes come in between. Resolves to the record without, where it held none. */
  const erase = async (companyKey: string) => {
    for (let attempt = 0; attempt < ERASE_ATTEMPTS; attempt++) {
      const connection = await connections.read(companyKey, nowSeconds())
      if (!connection) throw connectionNotFound()
      if (!holdsTokens(connection)) return { held: connection }
      settings.requireDisconnect(connection.environment)
      const { stored: tokenToRevoke, token } = await findToken(connection)
      const [writer, at] = [runtime.nonce(), runtime.now()]
      const deadline = at + timing().deadlineMs
      const task: Task = { companyKey, environment: connection.environment, token, writer, deadline }
      if (await disconnections.erase(connection, { writer, at, tokenToRevoke })) return { connection, task }
    }
    throw refreshInProgress(1)
  }

  /** Records the end of a revocation. Resolves at the first attempt that failed, too: others follow in the background. */
  const settle = async (task: Task, { outcome, intuitTid }: RevocationResult, waitUntil: WaitUntil) => {
    const { companyKey, writer, deadline } = task
    const revocation = settledAs(outcome)
    log({ event: 'disconnected', company_key: companyKey, revocation, intuit_tid: intuitTid })
    const failed = Promise.withResolvers<undefined>()
    const write = () => disconnections.settle(companyKey, { writer, revocation, intuitTid, now: nowSeconds() })
    const written = retryUntil(write, deadline, runtime, () => failed.resolve(undefined))
    waitUntil(written.then((end) => end ?? log({ event: 'revocation_not_recorded', company_key: companyKey })))
    const first = await Promise.race([written, failed.promise])
    const own: Disconnected = { companyKey, revocation, intuitTid }
    if (first?.value !== false) return own
    // Another attempt was recorded before: the record tells what counts.
    const found = await connections.read(companyKey, nowSeconds()).catch(() => undefined)
    return found?.disconnection ? asRecorded(companyKey, found.disconnection) : own
  }

  /** Asks again in the background. What Intuit does not take until the deadline stays pending, for a later disconnect. */
  const retryRevocation = async (task: Task, token: string, waitUntil: WaitUntil) => {
    for (const pause of PAUSES_MS) {
      if (runtime.now() + pause + REVOKE_MS > task.deadline) break
      await runtime.sleep(pause)
      const answer = await intuit.revoke(task.environment, token)
      if (answer.outcome !== 'unavailable') return settle(task, answer, waitUntil)
    }
    log({ event: 'disconnected', company_key: task.companyKey, revocation: 'pending' })
    return undefined
  }

  const revoke = async (task: Task, waitUntil: WaitUntil): Promise<Disconnected> => {
    const { companyKey, environment, token } = task
    if (token === undefined) return settle(task, { outcome: 'refused', intuitTid: undefined }, waitUntil)
    const answer = await intuit.revoke(environment, token)
    if (answer.outcome !== 'unavailable') return settle(task, answer, waitUntil)
    waitUntil(retryRevocation(task, token, waitUntil))
    return { companyKey, revocation: 'pending', intuitTid: answer.intuitTid }
  }

  /** Finishes what an earlier disconnect left, once nobody seems to be at it any more. Two who ask Intuit at once are harmless. */
  const finishEarlier = async (held: Connection, waitUntil: WaitUntil): Promise<Disconnected> => {
    const { companyKey, environment, disconnection, lastChange } = held
    const deadline = runtime.now() + timing().deadlineMs
    if (disconnection?.revocation !== 'pending') return asRecorded(companyKey, disconnection)
    settings.requireDisconnect(environment)
    const isSettled = (found: Connection | undefined) => found?.disconnection?.revocation !== 'pending'
    const erasedAt = Math.min(disconnection.at * 1000, runtime.now())
    const settled = await pollUntil(
      async () => {
        const found = await connections.read(companyKey, nowSeconds())
        return isSettled(found) ? { found } : undefined
      },
      erasedAt + timing().waitMs,
      runtime,
    )
    if (settled) return asRecorded(companyKey, settled.found?.disconnection)
    const token = await findKeptToken(companyKey, disconnection)
    return revoke({ companyKey, environment, token, writer: lastChange?.by ?? '', deadline }, waitUntil)
  }

  const disconnect = async (companyKey: string, waitUntil: WaitUntil): Promise<Disconnected> => {
    const erased = await erase(companyKey)
    if ('held' in erased) {
      tokenCache.invalidate(companyKey, erased.held.generation)
      return finishEarlier(erased.held, waitUntil)
    }
    tokenCache.invalidate(companyKey, erased.connection.generation + 1)
    waitUntil(forgetTraces(erased.connection))
    return revoke(erased.task, waitUntil)
  }

  const logFailure = (companyKey: string) => (error: unknown) => {
    const code = error instanceof Problem ? error.code : 'internal_error'
    if (code !== 'connection_not_found') log({ event: 'disconnect_failed', company_key: companyKey, code })
  }

  /**
   * Resolves once the tokens are erased and Intuit was asked, and goes on to its end whether or not the caller waits. A
   * revocation that Intuit did not take is tried again in the background. Throws `connection_not_found`,
   * `storage_unavailable`, `configuration_error`.
   */
  return (companyKey: string, waitUntil: WaitUntil): Promise<Disconnected> => {
    const disconnected = disconnect(companyKey, waitUntil)
    waitUntil(disconnected.catch(logFailure(companyKey)))
    return disconnected
  }
}
