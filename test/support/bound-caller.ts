import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { bundleWorker, compatibilityDate } from '../../dev/bundle.ts'

/** A Worker that asks another one by a service binding; with `until`, it gives up once that URL has answered. */
const CALLER = `
export default {
  async fetch(request, env) {
    const until = request.headers.get('X-Until')
    const path = new URL(request.url)
    const headers = { 'X-API-Key': request.headers.get('X-API-Key') }
    if (!until) return env.BROKER.fetch(path, { method: request.method, headers })
    const abort = new AbortController()
    const asked = env.BROKER.fetch(path, { method: request.method, headers, signal: abort.signal })
    const given = asked.then(() => 'answered', () => 'gave up')
    await fetch(until)
    abort.abort()
    return new Response(await given)
  },
}
`

/** The broker and a Worker that calls it by a service binding, in one process. Returns the caller's origin, and what the broker logged. */
export const startBoundCaller = async (vars: Record<string, string>) => {
  let output = ''
  const shared = { modules: true, compatibilityDate: await compatibilityDate() }
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      workers: [
        { ...shared, name: 'apiClient', script: CALLER, serviceBindings: { BROKER: 'broker' } },
        {
          ...{ ...shared, name: 'broker', script: await bundleWorker(), bindings: vars },
          durableObjects: { RESCUE: { className: 'RescueStore', useSQLite: true } },
        },
      ],
      ...{ host: '127.0.0.1', port: 0, cf: false, log: new Log(LogLevel.NONE) },
      handleStructuredLogs: ({ message }: { message: string }) => {
        output += `${message}\n`
      },
    }),
  )
  const { origin } = await miniflare.ready
  return { url: origin, logs: () => output, close: () => miniflare.dispose() }
}
