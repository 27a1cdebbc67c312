import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as send,
} from 'node:http'
import { closeServer, LOOPBACK, listen } from '../../dev/listen.ts'
import { type Fault, faultOrders, type Ordered, type SeenRequest } from './fault-orders.ts'

export interface FaultyProxy<Body = unknown> {
  url: string
  requests: SeenRequest<Body>[]
  /** Faults apply first in, first out, one to a request. */
  fault(fault: Fault<Body>): Ordered<Body>
  heal(): void
  /** Shifts the `Date` of every answer from now on: whoever reads it has a clock that is off by as much. */
  shiftDates(milliseconds: number): void
  /** Is told of each request that the server behind has answered. */
  whenAnswered(listener: (request: SeenRequest<Body>) => void): void
  /** Cuts every connection, as a network does; whoever was sent something before may still read it. */
  cut(): void
  close(): Promise<void>
}

/** What a proxy understands of the requests that go through it. */
interface Protocol<Body> {
  read(headers: IncomingHttpHeaders, text: string): { operation: string; body: Body }
  /** Adds to a request's body what its answer told. */
  note?(body: Body, status: number, text: string): void
  contentType: string
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

const bodyOf = async (message: IncomingMessage): Promise<Buffer> => {
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
      bodyOf(answer).then((whole) => resolve({ status: statusCode, headers: given, body: whole }), reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Sends half of an answer that says it is whole, and cuts. */
const breakOff = (response: ServerResponse, { status, headers, body }: Answer) => {
  response.writeHead(status, { ...headers, 'content-length': String(body.byteLength) })
  response.write(body.subarray(0, Math.floor(body.byteLength / 2)), () => response.socket?.destroy())
}

/** A server before another one, which counts what goes through and breaks it where it is told. */
export const startFaultyProxy = async <Body>(
  origin: string,
  { read, note, contentType }: Protocol<Body>,
): Promise<FaultyProxy<Body>> => {
  type Seen = SeenRequest<Body>
  const requests: Seen[] = []
  const orders = faultOrders<Body>()
  let answered: (request: Seen) => void = () => undefined
  let shiftMs = 0

  const shifted = ({ headers, ...rest }: Answer): Answer => {
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
    const body = await bodyOf(incoming)
    const told = read(incoming.headers, body.toString())
    const seen: Seen = { ...told, startedAt, endedAt: undefined, status: undefined, delivered: false }
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
    const answer = shifted(await forward(origin, incoming, body))
    seen.endedAt = performance.now()
    seen.status = answer.status
    note?.(seen.body, answer.status, answer.body.toString())
    answered(seen)
    if (fault?.kind === 'hang after') return
    if (fault?.kind === 'hold after') await fault.until
    if (fault?.kind === 'cut after') incoming.socket.destroy()
    else if (fault?.kind === 'break') breakOff(response, answer)
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
