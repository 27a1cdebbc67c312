import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as send,
} from 'node:http'
import { closeServer, LOOPBACK, listen } from '../../dev/listen.ts'
import { createFaultQueue, type Fault, type Ordered, type SeenRequest } from './fault-orders.ts'

/** A proxy that records requests and applies faults. */
export interface FaultyProxy<Body = unknown> {
  url: string
  requests: SeenRequest<Body>[]
  /** Adds a fault to the queue. */
  fault(fault: Fault<Body>): Ordered<Body>
  /** Removes all faults. */
  heal(): void
  /** Shifts the `Date` of later responses, as if the reader's clock were off by as much. */
  shiftDates(milliseconds: number): void
  /** Calls the listener for each request that the server has answered. */
  whenAnswered(listener: (request: SeenRequest<Body>) => void): void
  /** Closes all connections. Bytes that were sent before may still be read. */
  cut(): void
  close(): Promise<void>
}

/** How a proxy reads the requests and responses that pass through it. */
interface Protocol<Body> {
  read(headers: IncomingHttpHeaders, text: string): { operation: string; body: Body }
  /** Adds facts from the response to the body of the request. */
  complete?(body: Body, status: number, text: string): void
  contentType: string
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

const readBody = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

const forward = (origin: string, incoming: IncomingMessage, body: Buffer): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { host: _, ...headers } = incoming.headers
    const target = new URL(incoming.url ?? '/', origin)
    const outgoing = send(target, { method: incoming.method ?? 'POST', headers }, (answer) => {
      const { 'transfer-encoding': _chunked, ...given } = answer.headers
      const { statusCode = 500 } = answer
      readBody(answer).then((whole) => resolve({ status: statusCode, headers: given, body: whole }), reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Sends half of a response with the length of the whole, then closes the connection. */
const sendHalf = (response: ServerResponse, { status, headers, body }: Answer) => {
  response.writeHead(status, { ...headers, 'content-length': String(body.byteLength) })
  response.write(body.subarray(0, Math.floor(body.byteLength / 2)), () => response.socket?.destroy())
}

/** Starts a proxy that records the requests to a server and applies faults to them. */
export const startFaultyProxy = async <Body>(
  origin: string,
  { read, complete, contentType }: Protocol<Body>,
): Promise<FaultyProxy<Body>> => {
  type Seen = SeenRequest<Body>
  const requests: Seen[] = []
  const orders = createFaultQueue<Body>()
  let answered: (request: Seen) => void = () => undefined
  let shiftMs = 0

  const shiftDate = ({ headers, ...rest }: Answer): Answer => {
    const { date } = headers
    if (shiftMs === 0 || date === undefined) return { headers, ...rest }
    return { ...rest, headers: { ...headers, date: new Date(Date.parse(date) + shiftMs).toUTCString() } }
  }

  const reply = (seen: Seen, response: ServerResponse, { status, headers, body }: Answer) => {
    response.on('close', () => {
      seen.delivered = response.writableFinished
    })
    response.writeHead(status, { ...headers, 'content-length': String(body.byteLength) }).end(body)
  }

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const startedAt = performance.now()
    const body = await readBody(incoming)
    const parsed = read(incoming.headers, body.toString())
    const seen: Seen = { ...parsed, startedAt, endedAt: undefined, status: undefined, delivered: false }
    requests.push(seen)
    const fault = orders.take(seen)
    switch (fault?.kind) {
      case 'hang':
        return
      case 'answer':
        response.writeHead(fault.status, { 'content-type': contentType }).end(fault.body)
        return
      case 'cut before':
        incoming.socket.destroy()
        return
      case 'delay':
        await wait(fault.ms)
        break
      case 'hold':
        await fault.until
    }
    const answer = shiftDate(await forward(origin, incoming, body))
    seen.endedAt = performance.now()
    seen.status = answer.status
    complete?.(seen.body, answer.status, answer.body.toString())
    answered(seen)
    if (fault?.kind === 'hang after') return
    if (fault?.kind === 'hold after') await fault.until
    if (fault?.kind === 'cut after') incoming.socket.destroy()
    else if (fault?.kind === 'break') sendHalf(response, answer)
    else if (incoming.socket.writable) reply(seen, response, answer)
  }

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy())
  })
  const port = await listen(server)
  return {
    url: `http://${LOOPBACK}:${port}`,
    requests,
    fault: orders.add,
    heal: orders.clear,
    shiftDates: (milliseconds) => {
      shiftMs = milliseconds
    },
    whenAnswered: (listener) => {
      answered = listener
    },
    cut: () => server.closeAllConnections(),
    close: () => closeServer(server),
  }
}
