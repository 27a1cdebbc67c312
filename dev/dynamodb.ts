import type { Server } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import dynalite from 'dynalite'
import { closeServer, LOOPBACK, listen } from './listen.ts'

/** A running engine. */
export interface Engine {
  url: string
  close(): Promise<void>
}

interface EngineOptions {
  /** The folder for the data. Default: in memory. */
  path?: string
  /** Default: a free port. */
  port?: number
}

const POLL_MS = 10

/**
 * Resolves once the engine has answered every request. A request goes on after its client has left, and a write that
 * meets a closed database is an uncaught exception.
 */
const trackRequests = (server: Server) => {
  let inFlight = 0
  server.prependListener('request', (_, response) => {
    inFlight++
    response.end = new Proxy(response.end, {
      apply(end, self, args) {
        inFlight--
        return Reflect.apply(end, self, args)
      },
    })
  })
  return async () => {
    while (inFlight > 0) await setTimeout(POLL_MS)
  }
}

/** Starts an embedded DynamoDB on loopback. It does not check signatures and has no TTL. */
export const startDynamoDb = async ({ path, port = 0 }: EngineOptions = {}): Promise<Engine> => {
  const server = dynalite({ ...(path ? { path } : {}), createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  const allAnswered = trackRequests(server)
  const listeningOn = await listen(server, port)
  const close = async () => {
    server.closeAllConnections()
    await allAnswered()
    await closeServer(server)
  }
  return { url: `http://${LOOPBACK}:${listeningOn}`, close }
}
