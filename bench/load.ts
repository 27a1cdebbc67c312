import { Agent, type IncomingMessage, request } from 'node:http'

/** One request, sent many times. */
export interface Target {
  url: string
  headers: Record<string, string>
  /** The status that every response must have. */
  status: number
}

const CONCURRENCY = 8
/** A program that sends nothing for this long has failed. Milliseconds. */
const TIMEOUT_MS = 30_000

const agent = new Agent({ keepAlive: true, timeout: TIMEOUT_MS })

const send = (target: Target): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const sent = request(target.url, { agent, headers: target.headers }, resolve)
    sent.on('timeout', () => sent.destroy(new Error(`${target.url} did not respond.`)))
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // The server closed an idle connection at the moment of its reuse, so it did not see the request.
      if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(send(target))
      else reject(error)
    })
    sent.end()
  })

const readToEnd = (response: IncomingMessage): Promise<void> =>
  new Promise((resolve, reject) => {
    response.on('end', resolve).on('error', reject).resume()
  })

/** Sends a request `count` times over eight keep-alive connections. Rejects at the first response with another status. */
export const sendRequests = async (target: Target, count: number): Promise<void> => {
  let sent = 0
  const sendOneByOne = async () => {
    while (sent++ < count) {
      const response = await send(target)
      await readToEnd(response)
      if (response.statusCode !== target.status) {
        throw new Error(`${target.url} responded with ${response.statusCode} instead of ${target.status}.`)
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, sendOneByOne))
}
