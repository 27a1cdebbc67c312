import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { bundleWorker, compatibilityDate, fromRoot } from './bundle.ts'
import { placeViewer } from './viewer.ts'

export interface LocalWorker {
  url: string
  /** What is parked for a spent token, by its hash: text to whoever looks, as it is to the rescue store. */
  parked(companyKey: string, spentHash: string): Promise<string | undefined>
  /** Runs the cron once. Rejects where it failed. */
  scheduled(): Promise<void>
  close(): Promise<void>
}

interface LocalWorkerOptions {
  /** As `[vars]` of `wrangler.toml` may have them: not only text. */
  vars: Record<string, string | number | boolean | string[]>
  /** A free one if absent. */
  port?: number
  host?: string
  /** Serves the static assets of `public/` ahead of the Worker, as the deployment does. */
  withAssets?: boolean
  /** The Worker's own output, as it comes. */
  onOutput?: (text: string) => void
  /** The Worker's name; others find its Durable Objects by it. */
  name?: string
  /** Where the parked pairs are: of its own, of another Worker of this machine, or nowhere. */
  rescue?: 'own' | 'none' | { worker: string }
  /** Uses a minute that each rate-limit binding lets through; none is bound if absent. */
  rateLimits?: Record<string, number>
  /** A folder by which Workers of several processes find each other. */
  registry?: string
  /** A folder in which its Durable Objects outlive it. */
  keep?: string
  /** What Cloudflare would tell of where requests come from; nothing if absent. */
  cf?: Record<string, string>
}

interface ParkedPairs {
  getByName(companyKey: string): { find(spentHash: string): Promise<string | undefined> }
}

const isParkedPairs = (binding: unknown): binding is ParkedPairs =>
  typeof binding === 'object' && binding !== null && 'getByName' in binding

const rescueBinding = (rescue: NonNullable<LocalWorkerOptions['rescue']>) => {
  if (rescue === 'none') return {}
  const object = { className: 'RescueStore', useSQLite: true }
  return { durableObjects: { RESCUE: rescue === 'own' ? object : { ...object, scriptName: rescue.worker } } }
}

/** Rate-limit bindings that let so many uses a minute through. */
export const rateLimitBindings = (limits: Record<string, number>) =>
  Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [
      name,
      { namespace_id: name, simple: { limit, period: 60 as const } },
    ]),
  )

// Miniflare would look up the machine's location and send usage figures.
process.env['CLOUDFLARE_CF_FETCH_ENABLED'] = 'false'
process.env['WRANGLER_SEND_METRICS'] = 'false'

const ASSETS = { directory: fromRoot('public'), routerConfig: { has_user_worker: true } }

let bundled: Promise<string> | undefined
let placed: Promise<void> | undefined

/** Runs the built Worker in workerd. */
export const startWorker = async (options: LocalWorkerOptions): Promise<LocalWorker> => {
  bundled ??= bundleWorker()
  if (options.withAssets) placed ??= placeViewer()
  await placed
  const { vars, port = 0, host = '127.0.0.1', onOutput = () => undefined, rescue = 'own', registry, keep } = options
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      name: options.name ?? 'quickbooks-token-broker',
      modules: true,
      script: await bundled,
      compatibilityDate: await compatibilityDate(),
      bindings: vars,
      ...rescueBinding(rescue),
      ratelimits: rateLimitBindings(options.rateLimits ?? {}),
      ...(registry ? { unsafeDevRegistryPath: registry } : {}),
      ...(options.withAssets ? { assets: ASSETS } : {}),
      host,
      port,
      cf: options.cf ?? false,
      unsafeTriggerHandlers: true,
      log: new Log(LogLevel.NONE),
      handleStructuredLogs: ({ message }) => onOutput(`${message}\n`),
    }),
    ...(keep ? { resourcePersistencePath: keep } : {}),
  })
  const url = await miniflare.ready
  return {
    url: url.origin,
    scheduled: async () => {
      const { status } = await fetch(new URL('/cdn-cgi/local/scheduled', url))
      if (status !== 200) throw new Error(`The cron answered ${status}.`)
    },
    parked: async (companyKey, spentHash) => {
      const pairs: unknown = await miniflare.getDurableObjectNamespace('RESCUE')
      return isParkedPairs(pairs) ? pairs.getByName(companyKey).find(spentHash) : undefined
    },
    close: () => miniflare.dispose(),
  }
}
