import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'
import * as v from 'valibot'
import { closeServer, LOOPBACK, listen } from '../../dev/listen.ts'

const MESSAGE = v.object({ type: v.string(), timestamp: v.string(), data: v.record(v.string(), v.unknown()) })

export interface Received extends v.InferOutput<typeof MESSAGE> {
  id: string
  /** As it came. */
  text: string
}

/** An operator's endpoint, which takes only what the library of the Standard Webhooks scheme verifies. */
export const startReceiver = async (secret: string) => {
  const webhook = new Webhook(secret)
  const received: Received[] = []
  const unverified: string[] = []
  let status = 204
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
      try {
        const message = v.parse(MESSAGE, webhook.verify(text, headers))
        received.push({ ...message, id: headers['webhook-id'] ?? '', text })
      } catch {
        unverified.push(text)
      }
      response.writeHead(status, { Location: '/elsewhere' }).end()
    })
  })
  const port = await listen(server)
  return {
    url: `http://${LOOPBACK}:${port}/alerts`,
    received,
    unverified,
    /** What it answers from now on. */
    answer: (next: number) => {
      status = next
    },
    close: () => closeServer(server),
  }
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>
