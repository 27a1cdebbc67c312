import { createHash } from 'node:crypto'
import { realpathSync, rmSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A name that one process at a time can listen on. Linux and Windows have names without a file, which end with their
 * process. Elsewhere it is a socket in the folder for temporary files, as the path of a socket has 103 bytes at most.
 */
const lockAddress = (folder: string, platform: NodeJS.Platform) => {
  const digest = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32)
  const name = `quickbooks-token-broker-${digest}`
  if (platform === 'linux') return `\0${name}`
  return platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`)
}

const listenOn = (address: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error) => ('code' in error && error.code === 'EADDRINUSE' ? resolve(false) : reject(error)))
    server.listen(address, () => resolve(true))
    server.unref()
  })

const isAnswered = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(address)
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/**
 * Keeps a data folder to one process. `false` where another one has it. The system releases the lock when its process
 * ends, however it ends: no file with a process id is left behind, which a stranger may have by then.
 */
export const lockFolder = async (folder: string, platform = process.platform): Promise<boolean> => {
  const address = lockAddress(folder, platform)
  if (await listenOn(address)) return true
  const isFile = platform !== 'linux' && platform !== 'win32'
  if (!isFile || (await isAnswered(address))) return false
  // The socket of a process that was killed.
  rmSync(address, { force: true })
  return listenOn(address)
}
