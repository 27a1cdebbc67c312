import { type StartPorts, starting } from './authorize.ts'
import { type CallbackPorts, finishing } from './callback.ts'
import type { Connection } from './connection.ts'
import { type DisconnectPorts, disconnecting } from './disconnect.ts'
import { memory } from './memory.ts'
import { type NearPorts, nearReads } from './near.ts'
import { createRefreshLimit } from './refresh-limit.ts'
import { connectionNotFound } from './refusals.ts'
import { type StartLinkPorts, startLinks } from './start-links.ts'
import { type TokenPorts, tokens } from './tokens.ts'
import { verifying } from './verify.ts'

export type BrokerPorts = Omit<
  StartPorts & CallbackPorts & DisconnectPorts & StartLinkPorts & TokenPorts,
  'admit' | 'signAgain' | 'memory' | 'near' | 'limit'
> & {
  /** Where the table has any. */
  replicas?: NearPorts['replicas'] | undefined
  /** How long an isolate may answer from memory; 0 turns it off. */
  cacheSeconds(): number
}

/** Everything this service promises, without HTTP. */
export function createBroker(ports: BrokerPorts) {
  const { connections, surroundings, cacheSeconds, replicas } = ports
  const near = replicas && nearReads({ ...ports, replicas })
  const remembered = memory({ now: surroundings.now, cacheSeconds, noted: near?.note })
  const limit = createRefreshLimit(ports)
  const { admit, signAgain, issue: startLink } = startLinks(ports)
  const { freshToken, refreshedToken, refreshIdle } = tokens({ ...ports, memory: remembered, near, limit })

  /** The stored record. Throws `connection_not_found`. */
  const connection = async (companyKey: string): Promise<Connection> => {
    const found = await connections.read(companyKey, Math.floor(surroundings.now() / 1000))
    if (!found) throw connectionNotFound()
    return found
  }

  return {
    startLink,
    start: starting({ ...ports, admit }),
    finish: finishing({ ...ports, signAgain, memory: remembered, limit }),
    disconnect: disconnecting({ ...ports, memory: remembered }),
    connection,
    freshToken,
    refreshedToken,
    verifyRealm: verifying(ports, refreshedToken),
    refreshIdle,
    /** Where a person connects a company. */
    startUrl: ports.startUrl,
  }
}

export type Broker = ReturnType<typeof createBroker>
