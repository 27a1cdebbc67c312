import type { Connection } from './connection.ts'
import { type CallbackDeps, createCallback } from './consent/callback.ts'
import { createStart, type StartDeps } from './consent/start.ts'
import { createStartLinks, type StartLinkDeps } from './consent/start-links.ts'
import { createDisconnect, type DisconnectDeps } from './disconnect.ts'
import { connectionNotFound } from './errors.ts'
import type { RefreshDeps } from './refresh/attempt.ts'
import { createRefreshLimit } from './refresh/concurrency-limit.ts'
import { createRefresh } from './refresh/refresh.ts'
import { createRevalidate } from './revalidate.ts'
import { nowSeconds } from './timing.ts'
import { createGetToken } from './tokens/get-token.ts'
import { createRefreshIdle } from './tokens/refresh-idle.ts'
import { createReplicaReads, type ReplicaReadDeps } from './tokens/replica-reads.ts'
import { createTokenCache } from './tokens/token-cache.ts'

export type BrokerDeps = Omit<
  StartDeps & CallbackDeps & DisconnectDeps & StartLinkDeps & RefreshDeps,
  'authorizeStart' | 'signAgain' | 'tokenCache' | 'limit'
> & {
  /** `undefined` if the table has no replicas. */
  replicas?: ReplicaReadDeps['replicas'] | undefined
  /** How long an isolate caches tokens. 0 turns the cache off. */
  cacheSeconds(): number
}

/** The use cases of the service, without HTTP. */
export function createBroker(deps: BrokerDeps) {
  const { connections, runtime, cacheSeconds, replicas } = deps
  const replicaReads = replicas && createReplicaReads({ ...deps, replicas })
  const tokenCache = createTokenCache({ now: runtime.now, cacheSeconds, onGeneration: replicaReads?.addGeneration })
  const limit = createRefreshLimit(deps)
  const { authorizeStart, signAgain, issue: startLink } = createStartLinks(deps)
  const refresh = createRefresh({ ...deps, limit })
  const { freshToken, refreshedToken } = createGetToken({ ...deps, refresh, tokenCache, replicaReads })

  /** The stored record. Throws `connection_not_found`. */
  const connection = async (companyKey: string): Promise<Connection> => {
    const found = await connections.read(companyKey, nowSeconds(runtime))
    if (!found) throw connectionNotFound()
    return found
  }

  return {
    startLink,
    start: createStart({ ...deps, authorizeStart }),
    finish: createCallback({ ...deps, signAgain, tokenCache, limit }),
    disconnect: createDisconnect({ ...deps, tokenCache }),
    connection,
    freshToken,
    refreshedToken,
    revalidateRealm: createRevalidate(deps, refreshedToken),
    refreshIdle: createRefreshIdle({ ...deps, refresh }),
    /** The URL where a person starts a consent. */
    startUrl: deps.startUrl,
  }
}

export type Broker = ReturnType<typeof createBroker>
