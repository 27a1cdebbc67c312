import type { Environment } from './company.ts'
import type { Disconnection, EpochMs, Revocation } from './connection.ts'
import type { AuthorizationServer, RevocationResult } from './ports/intuit.ts'
import type { Log, Runtime, WaitUntil } from './ports/runtime.ts'
import type { ConnectionStore, DisconnectionStore } from './ports/storage.ts'
import { retryUntil } from './retry.ts'
import { nowSeconds } from './timing.ts'

/** Pauses between the attempts to revoke in the background. */
const PAUSES_MS = [1_000, 3_000, 6_000]
/** The time limit of one request to revoke, set in `src/intuit/revocation.ts`. */
const REVOKE_MS = 5_000

/** What a revocation needs. */
export interface RevokeDeps {
  connections: ConnectionStore
  disconnections: DisconnectionStore
  intuit: Pick<AuthorizationServer, 'revoke'>
  runtime: Runtime
  log: Log
}

/** The result of a disconnect. The connection has no tokens. */
export interface Disconnected {
  companyKey: string
  /** `none`: there was nothing to revoke. */
  revocation: Revocation | 'none'
  /** Intuit's id of the request to revoke. */
  intuitTid: string | undefined
}

/** The revocation of a grant whose tokens are erased from the table. */
export interface PendingRevocation {
  companyKey: string
  environment: Environment
  /** Any token of the grant. `undefined`: no token could be decrypted. */
  token: string | undefined
  /** The writer that erased the tokens. */
  writer: string
  /** No request and no write begins after this time. */
  deadline: EpochMs
  /** Keeps the work in the background running after the response. */
  waitUntil: WaitUntil
}

/** The result of an earlier disconnect, as the record has it. */
export function toDisconnected(companyKey: string, disconnection: Disconnection | undefined): Disconnected {
  const { revocation, intuitTid } = disconnection ?? { revocation: 'none', intuitTid: undefined }
  return { companyKey, revocation, intuitTid }
}

/** Writes the result to the record. Resolves after the first attempt; more attempts follow in the background. */
async function writeResult(
  { disconnections, runtime, log }: RevokeDeps,
  { companyKey, writer, deadline, waitUntil }: PendingRevocation,
  revocation: 'confirmed' | 'unconfirmed',
  intuitTid: string | undefined,
) {
  const firstFailure = Promise.withResolvers<undefined>()
  const write = () => disconnections.settle(companyKey, { writer, revocation, intuitTid, now: nowSeconds(runtime) })
  const written = retryUntil(write, deadline, runtime, () => firstFailure.resolve(undefined))
  waitUntil(written.then((end) => end ?? log({ event: 'revocation_not_recorded', company_key: companyKey })))
  return Promise.race([written, firstFailure.promise])
}

/** Logs and records Intuit's final answer. If the record has the result of another attempt, that result counts. */
async function recordResult(
  deps: RevokeDeps,
  pending: PendingRevocation,
  { outcome, intuitTid }: RevocationResult,
): Promise<Disconnected> {
  const { connections, runtime, log } = deps
  const { companyKey } = pending
  const revocation = outcome === 'revoked' ? 'confirmed' : 'unconfirmed'
  log({ event: 'disconnected', company_key: companyKey, revocation, intuit_tid: intuitTid })
  const result: Disconnected = { companyKey, revocation, intuitTid }
  const written = await writeResult(deps, pending, revocation, intuitTid)
  if (written?.value !== false) return result
  const current = await connections.read(companyKey, nowSeconds(runtime)).catch(() => undefined)
  return current?.disconnection ? toDisconnected(companyKey, current.disconnection) : result
}

/** Retries in the background. If Intuit does not answer before the deadline, a later disconnect tries again. */
async function retryRevocation(deps: RevokeDeps, pending: PendingRevocation, token: string): Promise<void> {
  const { intuit, runtime, log } = deps
  const { companyKey, environment, deadline } = pending
  for (const pause of PAUSES_MS) {
    if (runtime.now() + pause + REVOKE_MS > deadline) break
    await runtime.sleep(pause)
    const answer = await intuit.revoke(environment, token)
    if (answer.outcome !== 'unavailable') {
      await recordResult(deps, pending, answer)
      return
    }
  }
  log({ event: 'disconnected', company_key: companyKey, revocation: 'pending' })
}

/**
 * Revokes a grant at Intuit. Resolves after the first request, with `pending` if Intuit did not answer it; then more
 * requests follow in the background.
 */
export async function revokeGrant(deps: RevokeDeps, pending: PendingRevocation): Promise<Disconnected> {
  const { companyKey, environment, token, waitUntil } = pending
  if (token === undefined) return recordResult(deps, pending, { outcome: 'refused', intuitTid: undefined })
  const answer = await deps.intuit.revoke(environment, token)
  if (answer.outcome !== 'unavailable') return recordResult(deps, pending, answer)
  waitUntil(retryRevocation(deps, pending, token))
  return { companyKey, revocation: 'pending', intuitTid: answer.intuitTid }
}
