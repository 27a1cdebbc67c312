import { Agent, type IncomingMessage, request } from 'node:http'
import * as v from 'valibot'
import { serveParent } from './child.ts'
import { LOAD_ORDER, type LoadOrder } from './load-order.ts'

// Sends requests over connections that stay open. A process of its own, so that its CPU time counts for none of the programs.

/** A program that is silent for so long will not answer any more. Milliseconds. */
const SILENCE_MS = 30_000

const agent = new Agent({ keepAlive: true, timeout: SILENCE_MS })

const drained = (answer: IncomingMessage): Promise<void> =>
  new Promise((resolve, reject) => {
    answer.on('end', resolve).on('error', reject).resume()
  })

const answerTo = (url: string, headers: Record<string, string>): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers }, resolve)
    sent.on('timeout', () => sent.destroy(new Error(`${url} gave no answer.`)))
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // The server closes a connection that was idle, at the moment that it is used again: nothing was asked of it.
      if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(answerTo(url, headers))
      else reject(error)
    })
    sent.end()
  })

const once = async (url: string, headers: Record<string, string>): Promise<number> => {
  const answer = await answerTo(url, headers)
  await drained(answer)
  return answer.statusCode ?? 0
}

const run = async ({ urls, headers, requests, concurrency, status }: LoadOrder) => {
  let sent = 0
  const one = async () => {
    while (sent < requests) {
      const url = urls[sent++ % urls.length] ?? ''
      const got = await once(url, headers)
      if (got !== status) throw new Error(`${new URL(url).pathname} answered ${got} and not ${status}.`)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, one))
}

serveParent({ ready: true }, (order) =>
  run(v.parse(LOAD_ORDER, order)).then(
    () => ({ ok: true }),
    (error: unknown) => ({ ok: false, reason: String(error) }),
  ),
)
