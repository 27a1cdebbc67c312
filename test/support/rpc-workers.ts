import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { bundleWorker, compatibilityDate, fromRoot } from '../../dev/bundle.ts'
import { closeServer, LOOPBACK, listen } from '../../dev/listen.ts'
import { rateLimitBindings } from '../../dev/worker.ts'

/** Makes the call of the entrypoint that it is sent. */
const CALLER = `export default {
  async fetch(request, { TOKENS }) {
    const { method, args } = await request.json()
    return Response.json(await TOKENS[method](...args))
  },
}`

/** Leaves before the answer, once it is let through the gate. */
const FRONT = `export default {
  async fetch(request, { CALLER, GATE }) {
    const leaving = new AbortController()
    const answer = CALLER.fetch(request, { signal: leaving.signal }).then(() => 'answered', () => 'left')
    await fetch(GATE)
    leaving.abort()
    return new Response(await answer)
  },
}`

/** The broker, and other Workers of the account that have a service binding to its entrypoint `Tokens`. */
export const startRpcWorkers = async (
  brokerVars: Record<string, string>,
  exampleVars: Record<string, string> = {},
  rateLimits: Record<string, number> = {},
) => {
  const opened = Promise.withResolvers<void>()
  const gate = createServer((_, response) => void opened.promise.then(() => response.end()))
  const gateUrl = `http://${LOOPBACK}:${await listen(gate)}`
  const shared = { modules: true, compatibilityDate: await compatibilityDate() }
  const serviceBindings = { TOKENS: { name: 'broker', entrypoint: 'Tokens' } }
  const example = await readFile(fromRoot('examples/worker-rpc/worker.js'), 'utf8')
  const logs: string[] = []
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      handleStructuredLogs: ({ message }) => void logs.push(message),
      workers: [
        { ...shared, name: 'apiClient', script: CALLER, serviceBindings },
        {
          ...shared,
          name: 'front',
          script: FRONT,
          bindings: { GATE: gateUrl },
          serviceBindings: { CALLER: 'apiClient' },
        },
        { ...shared, name: 'example', script: example, bindings: exampleVars, serviceBindings },
        {
          ...{ ...shared, name: 'broker', script: await bundleWorker(), bindings: brokerVars },
          ratelimits: rateLimitBindings(rateLimits),
        },
      ],
    }),
  )
  const worker = (name: string) => miniflare.getWorker(name)
  const asked = (method: string, args: unknown[]) => ({ method: 'POST', body: JSON.stringify({ method, args }) })
  return {
    logs,
    /** What the entrypoint answers to another Worker. */
    call: async (method: string, ...args: unknown[]) => {
      const apiClient = await worker('apiClient')
      return (await apiClient.fetch('http://caller/', asked(method, args))).json()
    },
    /** A call whose caller leaves once `leave` is called: `left`, unless it was answered by then. */
    leaving: async (method: string, ...args: unknown[]) => {
      const front = await worker('front')
      return (await front.fetch('http://front/', asked(method, args))).text()
    },
    leave: () => opened.resolve(),
    /** The Worker of `examples/worker-rpc`. */
    example: async (companyKey: string) => (await worker('example')).fetch(`http://example/${companyKey}`),
    close: async () => {
      await miniflare.dispose()
      await closeServer(gate)
    },
  }
}

export type RpcWorkers = Awaited<ReturnType<typeof startRpcWorkers>>
