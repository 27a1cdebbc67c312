import { createServer } from 'node:http'
import { closeServer, listen } from '../../dev/listen.ts'

/** A port that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const server = createServer()
  const port = await listen(server)
  await closeServer(server)
  return port
}
