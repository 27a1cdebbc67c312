import type { Server } from 'node:http'

/** The IPv4 loopback address. */
export const LOOPBACK = '127.0.0.1'

/** Listens on loopback. Resolves with the port: a free one if `port` is 0. Rejects with the system's error. */
export const listen = (server: Server, port = 0, host = LOOPBACK): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      if (typeof address === 'object' && address) resolve(address.port)
      else reject(new Error('The server has no port.'))
    })
  })

/** Closes a server and its open sockets. */
export const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
