import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { bundleWorker, fromRoot, readCompatibilityDate } from './bundle.ts'
import { placeViewer } from './viewer.ts'

/** A running Worker. */
export interface LocalWorker {
  url: string
  /** The token pair that is parked for a used refresh token, by its hash. It is text, as in the rescue store. */
  findParked(companyKey: string, usedTokenHash: string): Promise<string | undefined>
  /** Runs the cron once. Rejects if it fails. */
  scheduled(): Promise<void>
  close(): Promise<void>
}

interface LocalWorkerOptions {
  /** As in `[vars]` of `wrangler.toml`, which has more than text. */
  vars: Record<string, string | number | boolean | string[]>
  /** Default: a free port. */
  port?: number
  host?: string
  /** Serves the static assets of `public/` ahead of the Worker, as the deployment does. */
  withAssets?: boolean
  /** Receives the Worker's output. */
  onOutput?: (text: string) => void
  /** The Worker's name, by which other Workers find its Durable Objects. */
  name?: string
  /** Where parked token pairs are stored: in this Worker, in another one of this machine, or nowhere. */
  rescue?: 'own' | 'none' | { worker: string }
  /** The limit of each rate-limit binding, per minute. Default: no bindings. */
  rateLimits?: Record<string, number>
  /** A folder through which Workers of several processes find each other. */
  registry?: string
  /** A folder that stores the Durable Objects for the next start. */
  storageFolder?: string
  /** `request.cf`, as Cloudflare sets it. Default: none. */
  cf?: Record<string, string>
}

interface ParkedPairs {
  getByName(companyKey: string): { find(usedTokenHash: string): Promise<string | undefined> }
}

const isParkedPairs = (binding: unknown): binding is ParkedPairs =>
  typeof binding === 'object' && binding !== null && 'getByName' in binding

const toRescueBinding = (rescue: NonNullable<LocalWorkerOptions['rescue']>) => {
  if (rescue === 'none') return {}
  const object = { className: 'RescueStore', useSQLite: true }
  return { durableObjects: { RESCUE: rescue === 'own' ? object : { ...object, scriptName: rescue.worker } } }
}

/** Converts limits per minute to rate-limit bindings. */
export const toRateLimitBindings = (limits: Record<string, number>) =>
  Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [
      name,
      { namespace_id: name, simple: { limit, period: 60 as const } },
    ]),
  )

// Stops Miniflare from looking up the location of this machine and from sending metrics.
process.env['CLOUDFLARE_CF_FETCH_ENABLED'] = 'false'
process.env['WRANGLER_SEND_METRICS'] = 'false'

const ASSETS = { directory: fromRoot('public'), routerConfig: { has_user_worker: true } }

let bundle: Promise<string> | undefined
let viewer: Promise<void> | undefined

/** Runs the built Worker in workerd. */
export const startWorker = async (options: LocalWorkerOptions): Promise<LocalWorker> => {
  bundle ??= bundleWorker()
  if (options.withAssets) viewer ??= placeViewer()
  await viewer
  const {
    vars,
    port = 0,
    host = '127.0.0.1',
    onOutput = () => undefined,
    rescue = 'own',
    registry,
    storageFolder,
  } = options
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      name: options.name ?? 'quickbooks-token-broker',
      modules: true,
      script: await bundle,
      compatibilityDate: await readCompatibilityDate(),
      bindings: vars,
      ...toRescueBinding(rescue),
      ratelimits: toRateLimitBindings(options.rateLimits ?? {}),
      ...(registry ? { unsafeDevRegistryPath: registry } : {}),
      ...(options.withAssets ? { assets: ASSETS } : {}),
      host,
      port,
      cf: options.cf ?? false,
      unsafeTriggerHandlers: true,
      log: new Log(LogLevel.NONE),
      handleStructuredLogs: ({ message }) => onOutput(`${message}\n`),
    }),
    ...(storageFolder ? { resourcePersistencePath: storageFolder } : {}),
  })
  const url = await miniflare.ready
  return {
    url: url.origin,
    scheduled: async () => {
      const { status } = await fetch(new URL('/cdn-cgi/local/scheduled', url))
      if (status !== 200) throw new Error(`The cron responded with ${status}.`)
    },
    findParked: async (companyKey, usedTokenHash) => {
      const pairs: unknown = await miniflare.getDurableObjectNamespace('RESCUE')
      return isParkedPairs(pairs) ? pairs.getByName(companyKey).find(usedTokenHash) : undefined
    },
    close: () => miniflare.dispose(),
  }
}
