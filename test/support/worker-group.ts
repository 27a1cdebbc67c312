import { createServer } from 'node:http'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare'
import { bundleWorker, readCompatibilityDate } from '../../dev/bundle.ts'
import { closeServer, LOOPBACK, listen } from '../../dev/listen.ts'
import { toRateLimitBindings } from '../../dev/worker.ts'

/** Forwards each request to a service binding. With `X-Leave-At`, it aborts once that URL responds: workerd then ends the called request. */
const FRONT = `export default {
  async fetch(request, { TARGET }) {
    const leaveAt = request.headers.get('X-Leave-At')
    if (!leaveAt) return TARGET.fetch(request, { redirect: 'manual' })
    const leaving = new AbortController()
    const outcome = TARGET.fetch(request, { signal: leaving.signal }).then(() => 'answered', () => 'left')
    await fetch(leaveAt)
    leaving.abort()
    return new Response(await outcome)
  },
}`

/** A Worker of the group: its name and script, with bindings. */
export type GroupWorker = { name: string; script: string } & Pick<
  V4WorkerOptions,
  'bindings' | 'durableObjects' | 'ratelimits' | 'serviceBindings'
>

/** The broker as a member of a group. */
export const brokerWorker = async (
  vars: Record<string, string>,
  rateLimits: Record<string, number> = {},
): Promise<GroupWorker> => ({
  name: 'broker',
  script: await bundleWorker(),
  bindings: vars,
  durableObjects: { RESCUE: { className: 'RescueStore', useSQLite: true } },
  ratelimits: toRateLimitBindings(rateLimits),
})

/** Holds the responses of a URL until it is opened. */
const startGates = async () => {
  const gates: PromiseWithResolvers<void>[] = []
  const server = createServer((request, response) => {
    void gates[Number(request.url?.slice(1))]?.promise.then(() => response.end())
  })
  const url = `http://${LOOPBACK}:${await listen(server)}`
  const add = () => {
    const gate = Promise.withResolvers<void>()
    gates.push(gate)
    return { url: `${url}/${gates.length - 1}`, open: gate.resolve }
  }
  return { add, close: () => closeServer(server) }
}

/** Workers of one account in one process. `fetch` and `leave` call the first one over a service binding. */
export const startWorkerGroup = async (first: GroupWorker, ...others: GroupWorker[]) => {
  const gates = await startGates()
  const logs: string[] = []
  const front = { name: 'front', script: FRONT, serviceBindings: { TARGET: first.name } }
  const shared = { modules: true as const, compatibilityDate: await readCompatibilityDate() }
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...{ cf: false, host: LOOPBACK, port: 0, log: new Log(LogLevel.NONE) },
      handleStructuredLogs: ({ message }) => void logs.push(message),
      workers: [front, first, ...others].map((worker) => ({ ...shared, ...worker })),
    }),
  )
  const origin = await miniflare.ready
  const send = (path: string, init: RequestInit = {}) => fetch(new URL(path, origin), { redirect: 'manual', ...init })
  return {
    logs,
    fetch: send,
    /** A request whose caller leaves when `leave` is called. `outcome` is `left`, or `answered` if the response was faster. */
    startLeaving: (path: string, init: RequestInit = {}) => {
      const gate = gates.add()
      const headers = new Headers(init.headers)
      headers.set('X-Leave-At', gate.url)
      return { outcome: send(path, { ...init, headers }).then((response) => response.text()), leave: gate.open }
    },
    getWorker: (name: string) => miniflare.getWorker(name),
    close: async () => {
      await miniflare.dispose()
      await gates.close()
    },
  }
}

export type WorkerGroup = Awaited<ReturnType<typeof startWorkerGroup>>

/** A Worker that calls the entrypoint `Tokens` as its request says. */
const RPC_CALLER = `export default {
  async fetch(request, { TOKENS }) {
    const { method, args } = await request.json()
    return Response.json(await TOKENS[method](...args))
  },
}`

/** A binding to the entrypoint `Tokens` of the broker. */
export const TOKENS_BINDING = { TOKENS: { name: 'broker', entrypoint: 'Tokens' } }

/** A Worker with that binding. `toCall` makes a request to it. */
export const rpcCaller: GroupWorker = { name: 'rpc-caller', script: RPC_CALLER, serviceBindings: TOKENS_BINDING }
export const toCall = (method: string, ...args: unknown[]) => ({
  method: 'POST',
  body: JSON.stringify({ method, args }),
})
