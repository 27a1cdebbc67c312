import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { bundleWorker, compatibilityDate } from '../../dev/bundle.ts'
import { closeServer, LOOPBACK, listen } from '../../dev/listen.ts'

/** Over a service binding, workerd ends the called request with its caller; over local HTTP it does not. */
const FRONT = `export default {
  async fetch(request, { CALLER, GATE }) {
    if (new URL(request.url).pathname !== '/leaving') return CALLER.fetch(request)
    const leaving = new AbortController()
    const answer = CALLER.fetch(request, { signal: leaving.signal }).then(() => 'answered', () => 'left')
    await fetch(GATE)
    leaving.abort()
    return new Response(await answer)
  },
}`

/** A Worker that keeps one client between its requests and calls QuickBooks at each, behind another Worker. */
export const startWorkerWithClient = async (bindings: Record<string, string>) => {
  const opened = Promise.withResolvers<void>()
  const gate = createServer((_, response) => void opened.promise.then(() => response.end()))
  const gateUrl = `http://${LOOPBACK}:${await listen(gate)}`
  const shared = { modules: true, compatibilityDate: await compatibilityDate() }
  const script = await bundleWorker(fileURLToPath(new URL('client-worker-entry.js', import.meta.url)))
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      workers: [
        {
          ...shared,
          name: 'front',
          script: FRONT,
          bindings: { GATE: gateUrl },
          serviceBindings: { CALLER: 'apiClient' },
        },
        { ...shared, name: 'apiClient', script, bindings },
      ],
    }),
  )
  const url = await miniflare.ready
  return {
    fetch: () => fetch(url),
    /** A caller who leaves before the answer, once `leave` is called: `left`, unless it was answered by then. */
    leaving: async () => (await fetch(new URL('/leaving', url))).text(),
    leave: () => opened.resolve(),
    close: async () => {
      await miniflare.dispose()
      await closeServer(gate)
    },
  }
}
