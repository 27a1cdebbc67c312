import type { Connection } from './connection.ts'
import { type CallbackPorts, createCallback } from './consent/callback.ts'
import { createStart, type StartPorts } from './consent/start.ts'
import { createStartLinks, type StartLinkPorts } from './consent/start-links.ts'
import { createDisconnect, type DisconnectPorts } from './disconnect.ts'
import { connectionNotFound } from './errors.ts'
import { createRevalidate } from './revalidate.ts'
import { createGetToken, type TokenPorts } from './tokens/get-token.ts'
import { createReplicaReads, type ReplicaReadDeps } from './tokens/replica-reads.ts'
import { createTokenCache } from './tokens/token-cache.ts'

export type BrokerPorts = Omit<
  StartPorts & CallbackPorts & DisconnectPorts & StartLinkPorts & TokenPorts,
  'admit' | 'signAgain' | 'tokenCache' | 'replicaReads'
> & {
  /** Where the table has any. */
  replicas?: ReplicaReadDeps['replicas'] | undefined
  /** How long an isolate may answer from memory; 0 turns it off. */
  cacheSeconds(): number
}

/** Everything this service promises, without HTTP. */
export function createBroker(ports: BrokerPorts) {
  const { connections, runtime, cacheSeconds, replicas } = ports
  const replicaReads = replicas && createReplicaReads({ ...ports, replicas })
  const tokenCache = createTokenCache({ now: runtime.now, cacheSeconds, noted: replicaReads?.note })
  const { admit, signAgain, issue: startLink } = createStartLinks(ports)
  const { freshToken, refreshedToken, refreshIdle } = createGetToken({ ...ports, tokenCache: tokenCache, replicaReads })

  /** The stored record. Throws `connection_not_found`. */
  const connection = async (companyKey: string): Promise<Connection> => {
    const found = await connections.read(companyKey, Math.floor(runtime.now() / 1000))
    if (!found) throw connectionNotFound()
    return found
  }

  return {
    startLink,
    start: createStart({ ...ports, admit }),
    finish: createCallback({ ...ports, signAgain, tokenCache: tokenCache }),
    disconnect: createDisconnect({ ...ports, tokenCache: tokenCache }),
    connection,
    freshToken,
    refreshedToken,
    revalidateRealm: createRevalidate(ports, refreshedToken),
    refreshIdle,
    /** Where a person connects a company. */
    startUrl: ports.startUrl,
  }
}

export type Broker = ReturnType<typeof createBroker>
