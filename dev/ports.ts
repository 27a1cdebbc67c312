import { createServer } from 'node:http'
import { fail } from './arguments.ts'
import { closeServer, LOOPBACK, listen } from './listen.ts'

const LARGEST_PORT = 65_535
const LOOPBACK_V6 = '::1'
const TIMEOUT_MS = 2_000

/** Reads `PORT`, default 8787. Ends the command if it is not a port. */
export const readPort = (): number => {
  const text = process.env['PORT'] || '8787'
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= LARGEST_PORT ? port : fail(`PORT must be a number from 1 to ${LARGEST_PORT}.`)
}

/** The system's error code if a port is not free, otherwise `undefined`. */
const findFault = async (port: number, host: string): Promise<string | undefined> => {
  const probe = createServer()
  try {
    await listen(probe, port, host)
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  }
  await closeServer(probe)
  return undefined
}

/** Whether a broker uses the port: another npm start, or the workerd process that a killed npm start left running. */
const isBroker = async (port: number): Promise<boolean> => {
  try {
    const response = await fetch(`http://${LOOPBACK}:${port}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    return (await response.text()) === '{"status":"ok"}'
  } catch {
    return false
  }
}

/**
 * Ends the command if `http://localhost:PORT` would not reach this process. Browsers try `::1` first, so a program that
 * listens there gets the requests even if `127.0.0.1` is free. A machine without IPv6 has no `::1`.
 */
export const requireFreePort = async (port: number): Promise<void> => {
  const other = port < LARGEST_PORT ? port + 1 : port - 1
  const choose = `Choose another: PORT=${other} npm start`
  const fault = await findFault(port, LOOPBACK)
  if (fault === 'EACCES') fail(`Port ${port} needs more privileges. Choose another: PORT=8787 npm start`)
  if (fault !== undefined && (await isBroker(port))) {
    fail(
      `Port ${port} is busy: a broker answers there. It is another npm start, or the workerd process that a killed ` +
        `npm start left running. End it. ${choose}`,
    )
  }
  if (fault !== undefined) fail(`Port ${port} is busy. ${choose}`)
  if ((await findFault(port, LOOPBACK_V6)) === 'EADDRINUSE') {
    fail(`Port ${port} is busy: another program listens on [::1], where a browser looks for localhost first. ${choose}`)
  }
}
