import { Problem } from '../problem.ts'
import { authorization } from './authorize.ts'
import { type Connection, isFresh, type UsableToken, type WithAccessToken } from './connection.ts'
import { usableToken } from './pair.ts'
import type { KeepAlive, StateStore } from './ports.ts'
import { refreshing } from './refresh.ts'
import { connectionNotFound, generationMismatch } from './refusals.ts'
import type { SpendPorts } from './spend.ts'

export interface BrokerPorts extends SpendPorts {
  states: StateStore
  stateTtlSeconds(): number
  startUrl(companyKey: string, companyName: string | undefined): string
}

/** A token that was refreshed so recently satisfies every caller: another would live no longer. */
const JUST_REFRESHED_SECONDS = 60

/** How long Intuit's access tokens live. */
const INTUIT_ACCESS_SECONDS = 3600

/** Everything this service promises, without HTTP. */
export const createBroker = (ports: BrokerPorts) => {
  const { connections, vault, surroundings, log, marginSeconds } = ports
  const { start, finish } = authorization(ports)
  const refresh = refreshing(ports)
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

  const isJustRefreshed = ({ lastRefreshAt }: Connection) =>
    lastRefreshAt !== undefined && nowSeconds() - lastRefreshAt < JUST_REFRESHED_SECONDS

  /** Whether to renew a token that is handed out: it nears the margin, and nobody is at it. */
  const isDueBehind = (stored: WithAccessToken, margin: number) => {
    const isUnderWay = stored.lease !== undefined && stored.lease.until >= surroundings.now()
    // With a margin of over half an hour, every token of Intuit's is in the band from its birth.
    const isPointless = 2 * margin >= INTUIT_ACCESS_SECONDS && isJustRefreshed(stored)
    const isNear = stored.accessTokenExpiresAt - nowSeconds() <= 2 * margin
    return isNear && stored.refreshToken !== undefined && !isUnderWay && !isPointless
  }

  /**
   * A token that is valid for longer than the margin, and than `minTtlSeconds` unless it was refreshed within the last
   * minute: the stored one, or a new one. In the band before the margin the stored one is answered at once and renewed
   * behind the answer, so that callers in steady use never wait for Intuit.
   */
  const freshToken = async (companyKey: string, minTtlSeconds: number, keepAlive: KeepAlive): Promise<UsableToken> => {
    const stored = await connection(companyKey)
    const margin = marginSeconds()
    const lives = (seconds: number) => isFresh(stored, nowSeconds(), seconds)
    if (!isFresh(stored, nowSeconds(), margin) || !(lives(minTtlSeconds) || isJustRefreshed(stored))) {
      return usableToken(vault, await refresh(stored, false, keepAlive))
    }
    if (isDueBehind(stored, margin)) refreshBehind(stored, keepAlive)
    return usableToken(vault, stored)
  }

  /**
   * A token that is newer than the stored one, whatever its age. With `generations`, only if the stored one is of one
   * of them; throws `generation_mismatch` where it is not.
   */
  const refreshedToken = async (
    companyKey: string,
    generations: number[] | undefined,
    keepAlive: KeepAlive,
  ): Promise<UsableToken> => {
    const stored = await connection(companyKey)
    if (generations && !generations.includes(stored.generation)) throw generationMismatch()
    return usableToken(vault, await refresh(stored, true, keepAlive))
  }

  return { start, finish, connection, freshToken, refreshedToken }
}

export type Broker = ReturnType<typeof createBroker>
