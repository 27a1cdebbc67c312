import { toProblemCode } from '../problem.ts'
import { type Connection, type Disconnection, holdsTokens, type StoredToken } from './connection.ts'
import { connectionNotFound, refreshInProgress } from './errors.ts'
import { pollUntil } from './poll.ts'
import type { TokenName, Vault } from './ports/crypto.ts'
import type { FlowSettings, WaitUntil } from './ports/runtime.ts'
import type { RealmStore, Rescue } from './ports/storage.ts'
import { type Disconnected, type PendingRevocation, type RevokeDeps, revokeGrant, toDisconnected } from './revoke.ts'
import { nowSeconds, type Timing } from './timing.ts'
import { decryptToken } from './token-pair.ts'
import type { TokenCache } from './tokens/token-cache.ts'

/** An attempt fails only if a refresh stores a token pair at the same time, so a few attempts are enough. */
const ERASE_ATTEMPTS = 5

/** What a disconnect needs. */
export interface DisconnectDeps extends RevokeDeps {
  realms: RealmStore
  rescue: Rescue | undefined
  settings: Pick<FlowSettings, 'requireDisconnect'>
  vault: Vault
  timing(): Timing
  tokenCache: TokenCache
}

/** `erased`: the record had tokens, and they are erased now. `empty`: it had none. */
type Erased =
  | { outcome: 'erased'; before: Connection; pending: PendingRevocation }
  | { outcome: 'empty'; connection: Connection }

interface FoundToken {
  /** As it is stored. */
  stored: StoredToken
  /** Decrypted. */
  token: string
}

/** The first token that can be decrypted. `undefined`: none. */
async function findReadableToken(
  vault: Vault,
  companyKey: string,
  candidates: readonly (readonly [TokenName, StoredToken | undefined])[],
): Promise<FoundToken | undefined> {
  for (const [name, stored] of candidates) {
    const token = stored && (await decryptToken(vault, companyKey, name, stored).catch(() => undefined))
    if (token) return { stored, token }
  }
  return undefined
}

/** The newest readable token of a connection: of its parked token pair, or else of its record. `undefined`: none. */
async function findTokenToRevoke({ vault, rescue }: DisconnectDeps, connection: Connection) {
  const { companyKey, accessToken, refreshToken, refreshTokenHash } = connection
  const parked = refreshTokenHash && (await rescue?.find(companyKey, refreshTokenHash).catch(() => undefined))
  return findReadableToken(vault, companyKey, [
    ['refresh_token', parked ? parked.pair.refreshToken : undefined],
    ['refresh_token', refreshToken],
    ['access_token', accessToken],
  ])
}

/** The token that an earlier disconnect left to revoke. It is encrypted under the name of its former attribute. */
async function findStoredTokenToRevoke({ vault }: DisconnectDeps, companyKey: string, { token }: Disconnection) {
  const found = await findReadableToken(vault, companyKey, [
    ['refresh_token', token],
    ['access_token', token],
  ])
  return found?.token
}

/** Removes what is stored beside the record. Nothing uses it without the record, so a failure is ignored. */
async function removeRelatedItems(
  { realms, rescue }: DisconnectDeps,
  { companyKey, environment, realmId, refreshTokenHash }: Connection,
) {
  await Promise.allSettled([
    realmId === undefined ? undefined : realms.remove(environment, realmId, companyKey),
    refreshTokenHash === undefined ? undefined : rescue?.remove(companyKey, refreshTokenHash),
  ])
}

/**
 * Erases the tokens of the record. Tries again if a refresh stores a token pair in the meantime. Throws
 * `connection_not_found`, `refresh_in_progress`, `storage_unavailable` and `configuration_error`.
 */
async function eraseTokens(deps: DisconnectDeps, companyKey: string, waitUntil: WaitUntil): Promise<Erased> {
  const { connections, disconnections, settings, runtime, timing } = deps
  for (let attempt = 0; attempt < ERASE_ATTEMPTS; attempt++) {
    const connection = await connections.read(companyKey, nowSeconds(runtime))
    if (!connection) throw connectionNotFound()
    if (!holdsTokens(connection)) return { outcome: 'empty', connection }
    const { environment } = connection
    settings.requireDisconnect(environment)
    const found = await findTokenToRevoke(deps, connection)
    const [writer, at] = [runtime.nonce(), runtime.now()]
    const deadline = at + timing().deadlineMs
    if (await disconnections.erase(connection, { writer, at, tokenToRevoke: found?.stored })) {
      const pending = { companyKey, environment, token: found?.token, writer, deadline, waitUntil }
      return { outcome: 'erased', before: connection, pending }
    }
  }
  throw refreshInProgress(1)
}

/** Waits until another disconnect has recorded its revocation, or should have. `undefined`: it did not. */
async function awaitRevocation(deps: DisconnectDeps, companyKey: string, { at }: Disconnection) {
  const { connections, runtime, timing } = deps
  const erasedAtMs = Math.min(at * 1000, runtime.now())
  const read = async () => {
    const current = await connections.read(companyKey, nowSeconds(runtime))
    return current?.disconnection?.revocation === 'pending' ? undefined : { disconnection: current?.disconnection }
  }
  return pollUntil(read, erasedAtMs + timing().waitMs, runtime)
}

/**
 * Completes an earlier disconnect whose revocation is pending. It first waits for that disconnect to finish. Two
 * requests to revoke the same token do no harm.
 */
async function finishEarlierDisconnect(
  deps: DisconnectDeps,
  { companyKey, environment, disconnection, lastChange }: Connection,
  waitUntil: WaitUntil,
): Promise<Disconnected> {
  const { settings, runtime, timing } = deps
  const deadline = runtime.now() + timing().deadlineMs
  if (disconnection?.revocation !== 'pending') return toDisconnected(companyKey, disconnection)
  settings.requireDisconnect(environment)
  const finished = await awaitRevocation(deps, companyKey, disconnection)
  if (finished) return toDisconnected(companyKey, finished.disconnection)
  const token = await findStoredTokenToRevoke(deps, companyKey, disconnection)
  return revokeGrant(deps, { companyKey, environment, token, writer: lastChange?.by ?? '', deadline, waitUntil })
}

/** Erases the tokens first and revokes the grant second, so that nobody can use the tokens whatever Intuit answers. */
async function disconnect(deps: DisconnectDeps, companyKey: string, waitUntil: WaitUntil): Promise<Disconnected> {
  const { tokenCache } = deps
  const erased = await eraseTokens(deps, companyKey, waitUntil)
  if (erased.outcome === 'empty') {
    tokenCache.invalidate(companyKey, erased.connection.generation)
    return finishEarlierDisconnect(deps, erased.connection, waitUntil)
  }
  tokenCache.invalidate(companyKey, erased.before.generation + 1)
  waitUntil(removeRelatedItems(deps, erased.before))
  return revokeGrant(deps, erased.pending)
}

/**
 * Creates the function that ends a connection. It resolves once the tokens are erased and Intuit has been asked to
 * revoke the grant. All work runs under `waitUntil`, even if the caller disconnects. If Intuit is unavailable, the
 * revocation is retried in the background. The function throws `connection_not_found`, `refresh_in_progress`,
 * `storage_unavailable` and `configuration_error`.
 */
export function createDisconnect(deps: DisconnectDeps) {
  const logFailure = (companyKey: string, error: unknown) => {
    const code = toProblemCode(error)
    if (code !== 'connection_not_found') deps.log({ event: 'disconnect_failed', company_key: companyKey, code })
  }

  return (companyKey: string, waitUntil: WaitUntil): Promise<Disconnected> => {
    const disconnected = disconnect(deps, companyKey, waitUntil)
    waitUntil(disconnected.catch((error: unknown) => logFailure(companyKey, error)))
    return disconnected
  }
}
