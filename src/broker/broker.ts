import { Problem } from '../problem.ts'
import { authorization } from './authorize.ts'
import { type Connection, isFresh, type UsableToken } from './connection.ts'
import { usableToken } from './pair.ts'
import type { AuthorizationServer, ConnectionStore, KeepAlive, Log, StateStore, Surroundings, Vault } from './ports.ts'
import { type Refresh, refreshing } from './refresh.ts'
import { connectionNotFound } from './refusals.ts'

export interface BrokerPorts {
  connections: ConnectionStore
  states: StateStore
  intuit: AuthorizationServer
  vault: Vault
  surroundings: Surroundings
  log: Log
  /** Settings are asked for when they are needed: a faulty one fails only what needs it. */
  marginSeconds(): number
  stateTtlSeconds(): number
}

/** Everything this service promises, without HTTP. */
export const createBroker = (ports: BrokerPorts) => {
  const { connections, vault, surroundings, log, marginSeconds } = ports
  const { start, finish } = authorization(ports)
  const refresh: Refresh = refreshing(ports)
  const nowSeconds = () => Math.floor(surroundings.now() / 1000)

  /** The stored record. Throws `connection_not_found`. */
  const connection = async (companyKey: string): Promise<Connection> => {
    const found = await connections.read(companyKey, nowSeconds())
    if (!found) throw connectionNotFound()
    return found
  }

  const refreshBehind = (seen: Connection, keepAlive: KeepAlive) => {
    const logged = refresh(seen, false, keepAlive).catch((error: unknown) => {
      const code = error instanceof Problem ? error.code : 'internal_error'
      log({ event: 'refresh_behind_failed', company_key: seen.companyKey, code })
    })
    keepAlive(logged)
  }

  /** A token that is valid for longer than the margin: the stored one, or a new one. In the band before the margin the stored one is answered at once and renewed behind the answer. */
  const freshToken = async (companyKey: string, keepAlive: KeepAlive): Promise<UsableToken> => {
    const stored = await connection(companyKey)
    const margin = marginSeconds()
    if (!isFresh(stored, nowSeconds(), margin)) return usableToken(vault, await refresh(stored, false, keepAlive))
    const isNearMargin = stored.accessTokenExpiresAt - nowSeconds() <= 2 * margin
    const isUnderWay = stored.lease !== undefined && stored.lease.until >= surroundings.now()
    if (isNearMargin && stored.refreshToken && !isUnderWay) refreshBehind(stored, keepAlive)
    return usableToken(vault, stored)
  }

  /** A token that is newer than the stored one, whatever its age. */
  const refreshedToken = async (companyKey: string, keepAlive: KeepAlive): Promise<UsableToken> =>
    usableToken(vault, await refresh(await connection(companyKey), true, keepAlive))

  return { start, finish, connection, freshToken, refreshedToken }
}

export type Broker = ReturnType<typeof createBroker>
