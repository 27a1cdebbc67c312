import { createHash } from 'node:crypto'
import { realpathSync, rmSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * An address that one process at a time can listen on. On Linux and Windows it is not a file and ends with its process.
 * Elsewhere it is a socket in the temporary folder, because the path of a socket is limited to 103 bytes.
 */
const toLockAddress = (folder: string, platform: NodeJS.Platform) => {
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

const isListening = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(address)
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/**
 * Locks a data folder for this process. `false` if another process has it. The system releases the lock when the process
 * ends. A file with a process id would remain after a crash, and another program may get that id.
 */
export const lockFolder = async (folder: string, platform = process.platform): Promise<boolean> => {
  const address = toLockAddress(folder, platform)
  if (await listenOn(address)) return true
  const isFile = platform !== 'linux' && platform !== 'win32'
  if (!isFile || (await isListening(address))) return false
  // Left by a process that was killed.
  rmSync(address, { force: true })
  return listenOn(address)
}
