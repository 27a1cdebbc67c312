import dynalite from 'dynalite'
import { closeServer, LOOPBACK, listen } from './listen.ts'

export interface Engine {
  url: string
  close(): Promise<void>
}

interface EngineOptions {
  /** A folder that keeps the data; in memory if absent. */
  path?: string
  /** A free one if absent. */
  port?: number
}

/** Starts an embedded DynamoDB on loopback. It checks no signature and deletes nothing by TTL. */
export const startDynamoDb = async ({ path, port = 0 }: EngineOptions = {}): Promise<Engine> => {
  const server = dynalite({ ...(path ? { path } : {}), createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  const listeningOn = await listen(server, port)
  return { url: `http://${LOOPBACK}:${listeningOn}`, close: () => closeServer(server) }
}
