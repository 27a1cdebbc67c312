import { type Connection, type Disconnection, type EpochSeconds, holdsTokens, type Revocation } from './connection.ts'
import type { Memory } from './memory.ts'
import type {
  AuthorizationServer,
  ConnectionStore,
  DisconnectionStore,
  KeepAlive,
  Log,
  RealmStore,
  Rescue,
  RevocationAnswer,
  Surroundings,
  Vault,
} from './ports.ts'
import { connectionNotFound, refreshInProgress } from './refusals.ts'

/** Each attempt that meets a refresh reads again; nobody refreshes that often. */
const ERASE_ATTEMPTS = 5
/** Between attempts to revoke, behind the answer. With Intuit's own time they end within the 30 s that Workers give. */
const PAUSES_MS = [1_000, 3_000, 6_000]
/** After this time a revocation that still pends was given up with its Worker. Seconds. */
const GIVEN_UP_SECONDS = 60

export interface DisconnectPorts {
  connections: ConnectionStore
  disconnections: DisconnectionStore
  realms: RealmStore
  rescue: Rescue | undefined
  intuit: AuthorizationServer
  vault: Vault
  surroundings: Surroundings
  log: Log
  memory: Memory
}

/** What is known of a connection that holds no tokens any more. */
export interface Disconnected {
  companyKey: string
  /** `none`: there was nothing to revoke. */
  revocation: Revocation | 'none'
  intuitTid: string | undefined
}

/** A token to revoke, and the record that it was taken from. */
interface Erased {
  connection: Connection
  token: string | undefined
  writer: string
}

function settledAs(outcome: RevocationAnswer['outcome']): Revocation {
  return outcome === 'revoked' ? 'confirmed' : 'unconfirmed'
}

/** What an earlier disconnect came to. */
function asRecorded(companyKey: string, recorded: Disconnection | undefined, now: EpochSeconds): Disconnected {
  if (!recorded) return { companyKey, revocation: 'none', intuitTid: undefined }
  const isGivenUp = recorded.revocation === 'pending' && now - recorded.at > GIVEN_UP_SECONDS
  return { companyKey, revocation: isGivenUp ? 'unconfirmed' : recorded.revocation, intuitTid: recorded.intuitTid }
}

/** Ends a connection: here first, then at Intuit, so that nothing that Intuit does keeps a token in use. */
export function disconnecting(ports: DisconnectPorts) {
  const { connections, disconnections, realms, rescue, intuit, vault, surroundings, log, memory } = ports
  const nowSeconds = (): EpochSeconds => Math.floor(surroundings.now() / 1000)

  /** The newest token that opens: a parked successor's, the stored one's. `undefined`: none does, and erasing goes on. */
  const tokenToRevoke = async ({ companyKey, accessToken, refreshToken, refreshTokenHash }: Connection) => {
    const parked = refreshTokenHash && (await rescue?.find(companyKey, refreshTokenHash).catch(() => undefined))
    const candidates = [
      ['refresh_token', parked ? parked.pair.refreshToken : undefined],
      ['refresh_token', refreshToken],
      ['access_token', accessToken],
    ] as const
    for (const [name, sealed] of candidates) {
      const token = sealed && (await vault.open(companyKey, name, sealed).catch(() => undefined))
      if (token) return token
    }
    return undefined
  }

  /** What stands beside the record is of no use without it, and harmless if it stays. */
  const forgetTraces = async ({ companyKey, environment, realmId, refreshTokenHash }: Connection) => {
    await Promise.allSettled([
      realmId === undefined ? undefined : realms.forget(environment, realmId, companyKey),
      refreshTokenHash === undefined ? undefined : rescue?.forget(companyKey, refreshTokenHash),
    ])
  }

  /** Takes the tokens from the record, whatever refreshes come in between. Resolves to the record without, where it held none. */
  const erase = async (companyKey: string): Promise<Erased | { held: Connection }> => {
    for (let attempt = 0; attempt < ERASE_ATTEMPTS; attempt++) {
      const connection = await connections.read(companyKey, nowSeconds())
      if (!connection) throw connectionNotFound()
      if (!holdsTokens(connection)) return { held: connection }
      intuit.requireRevocation(connection.environment)
      const token = await tokenToRevoke(connection)
      const [writer, at] = [surroundings.nonce(), surroundings.now()]
      if (await disconnections.erase(connection, { writer, at })) return { connection, token, writer }
    }
    throw refreshInProgress(1)
  }

  const settle = async ({ connection, writer }: Erased, revocation: Revocation, intuitTid: string | undefined) => {
    const { companyKey } = connection
    log({ event: 'disconnected', company_key: companyKey, revocation, intuit_tid: intuitTid })
    await disconnections
      .settle(companyKey, { writer, revocation, intuitTid, now: nowSeconds() })
      .catch(() => log({ event: 'revocation_not_recorded', company_key: companyKey }))
  }

  const retryBehind = async (erased: Erased, token: string) => {
    let answer: RevocationAnswer = { outcome: 'unavailable', intuitTid: undefined }
    for (const pause of PAUSES_MS) {
      await surroundings.sleep(pause)
      answer = await intuit.revoke(erased.connection.environment, token)
      if (answer.outcome !== 'unavailable') break
    }
    await settle(erased, settledAs(answer.outcome), answer.intuitTid)
  }

  /**
   * Resolves once the tokens are erased and Intuit was asked. A revocation that Intuit did not take is tried again
   * behind the answer. Throws `connection_not_found`, `storage_unavailable`, `configuration_error`.
   */
  return async (companyKey: string, keepAlive: KeepAlive): Promise<Disconnected> => {
    const erased = await erase(companyKey)
    if ('held' in erased) {
      memory.forget(companyKey, erased.held.generation)
      return asRecorded(companyKey, erased.held.disconnection, nowSeconds())
    }
    const { connection, token } = erased
    memory.forget(companyKey, connection.generation + 1)
    keepAlive(forgetTraces(connection))
    const answer: RevocationAnswer =
      token === undefined
        ? { outcome: 'refused', intuitTid: undefined }
        : await intuit.revoke(connection.environment, token)
    const { outcome, intuitTid } = answer
    if (outcome === 'unavailable' && token !== undefined) {
      keepAlive(retryBehind(erased, token))
      return { companyKey, revocation: 'pending', intuitTid }
    }
    await settle(erased, settledAs(outcome), intuitTid)
    return { companyKey, revocation: settledAs(outcome), intuitTid }
  }
}
