import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { closeServer, LOOPBACK, listen } from '../../dev/listen.ts'

/** One request that reached the proxy. Times in ms, of the one clock of this process. */
export interface SeenRequest {
  operation: string
  body: unknown
  startedAt: number
  endedAt: number | undefined
}

export type Fault = {
  /** Only this operation; any if absent. */
  operation?: string
  /** Only requests that this says yes to. */
  when?: (request: SeenRequest) => boolean
  /** How often; for ever if absent. */
  times?: number
} & (
  | { kind: 'error'; status: number; type: string }
  | { kind: 'answer'; status: number; body: string }
  /** Cut before the engine hears of it. */
  | { kind: 'cut before' }
  /** Applied by the engine, the answer lost. */
  | { kind: 'cut after' }
  /** Neither forwarded nor answered. */
  | { kind: 'hang' }
  | { kind: 'delay'; ms: number }
  /** Forwarded once `until` resolves. */
  | { kind: 'hold'; until: Promise<unknown> }
)

export interface EngineProxy {
  url: string
  requests: SeenRequest[]
  /** Faults apply first in, first out, one to a request. */
  fault(fault: Fault): void
  heal(): void
  close(): Promise<void>
}

const bodyOf = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

interface Answer {
  status: number
  body: Buffer
}

const forward = (target: URL, incoming: IncomingMessage, body: Buffer): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { host: _, ...headers } = incoming.headers
    const outgoing = send(target, { method: 'POST', headers }, (answer) => {
      bodyOf(answer).then((text) => resolve({ status: answer.statusCode ?? 500, body: text }), reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })

const reply = (response: ServerResponse, status: number, body: string | Buffer) =>
  response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.0' }).end(body)

const awsError = (type: string) => JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: type })

/** A DynamoDB endpoint before the embedded engine, which counts what goes through and breaks it where it is told. */
export const startEngineProxy = async (engineUrl: string): Promise<EngineProxy> => {
  const target = new URL(engineUrl)
  const requests: SeenRequest[] = []
  let faults: Fault[] = []

  const take = (seen: SeenRequest) => {
    const fault = faults.find(
      (one) => (one.operation ?? seen.operation) === seen.operation && (one.when?.(seen) ?? true),
    )
    if (fault?.times !== undefined && --fault.times <= 0) faults = faults.filter((one) => one !== fault)
    return fault
  }

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const operation = String(incoming.headers['x-amz-target']).replace('DynamoDB_20120810.', '')
    const seen: SeenRequest = { operation, body: undefined, startedAt: performance.now(), endedAt: undefined }
    requests.push(seen)
    const body = await bodyOf(incoming)
    seen.body = JSON.parse(body.toString())
    const fault = take(seen)
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'error') return reply(response, fault.status, awsError(fault.type))
    if (fault?.kind === 'answer') return reply(response, fault.status, fault.body)
    if (fault?.kind === 'cut before') return incoming.socket.destroy()
    if (fault?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.ms))
    if (fault?.kind === 'hold') await fault.until
    const answer = await forward(target, incoming, body)
    seen.endedAt = performance.now()
    if (fault?.kind === 'cut after') return incoming.socket.destroy()
    return reply(response, answer.status, answer.body)
  }

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy())
  })
  const port = await listen(server)
  return {
    url: `http://${LOOPBACK}:${port}`,
    requests,
    fault: (fault) => {
      faults.push({ ...fault })
    },
    heal: () => {
      faults = []
    },
    close: () => closeServer(server),
  }
}
