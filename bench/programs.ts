import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as v from 'valibot'
import { bundleWorker } from '../dev/bundle.ts'
import type { Service } from '../test/support/worker-harness.ts'
import type { Case } from './alternate.ts'
import { startWorkerd, type Workerd } from './workerd.ts'

/** The bundles under comparison, by name. `before` is the Worker of another checkout. */
export type Bundles = Record<'service' | 'floor' | 'sdk', string> & { before?: string }

const buildPeer = (name: string) => bundleWorker(fileURLToPath(new URL(`./peers/${name}.ts`, import.meta.url)))

const BUNDLER = v.object({ bundleWorker: v.function() })

/** Builds the Worker of another checkout by that checkout's own script. */
const buildBefore = async (folder: string): Promise<string> => {
  const bundler = v.parse(BUNDLER, await import(pathToFileURL(join(resolve(folder), 'dev/bundle.ts')).href))
  return v.parse(v.string(), await bundler.bundleWorker())
}

/** Builds this Worker, the floor and the SDK Worker as for an upload. */
export const buildBundles = async (against?: string): Promise<Bundles> => ({
  service: await bundleWorker(),
  floor: await buildPeer('floor'),
  sdk: await buildPeer('sdk-worker'),
  ...(against === undefined ? {} : { before: await buildBefore(against) }),
})

/** A connection that the service itself stored, with encrypted tokens. */
const OWN_KEY = 'own-record'
/** The same connection with plain tokens, for programs that decrypt nothing. The names have the same length. */
const PLAIN_KEY = 'plain-item'

/** The path that reads a token from each bundle. */
export const TOKEN_PATHS: Record<keyof Bundles, string> = {
  service: `/api/token/${OWN_KEY}`,
  before: `/api/token/${OWN_KEY}`,
  floor: `/api/token/${PLAIN_KEY}`,
  sdk: `/api/token/${PLAIN_KEY}`,
}

const TOKEN = v.looseObject({ access_token: v.string() })

/** The attributes of the API reference: what a record written by hand has. */
const REFERENCE_ATTRIBUTES = [
  ...['realm_id', 'uses_sandbox_credentials', 'created_at', 'updated_at', 'last_refresh_at'],
  ...['access_token_expires_at', 'refresh_token_expires_at'],
]

/** Connects a company through the service, then writes the same connection with plain tokens. Returns the stored item. */
export const storeRecords = async (service: Service) => {
  await service.connect(OWN_KEY)
  const item = await service.dynamo.item(`connection#${OWN_KEY}`)
  if (!item) throw new Error('The callback stored no connection.')
  const { access_token } = v.parse(TOKEN, await (await service.api(TOKEN_PATHS.service)).json())
  await service.dynamo.put({
    ...Object.fromEntries(Object.entries(item).filter(([name]) => REFERENCE_ATTRIBUTES.includes(name))),
    ...{ pk: { S: `connection#${PLAIN_KEY}` }, company_key: { S: PLAIN_KEY }, company_name: { S: PLAIN_KEY } },
    ...{ access_token: { S: access_token }, refresh_token: { S: 'RT1-'.padEnd(41, 'x') } },
  })
  return item
}

interface Plan {
  bundle: keyof Bundles
  path: string
  headers?: Record<string, string>
  status?: number
  requests?: number
}

/** A cached response costs a third of the others, so a round has more of them. */
const CHEAP_REQUESTS = 4_000
const NO_CACHE = { 'Cache-Control': 'no-cache' }

const PLANS: Record<string, Plan> = {
  floor: { bundle: 'floor', path: TOKEN_PATHS.floor },
  sdk: { bundle: 'sdk', path: TOKEN_PATHS.sdk },
  uncached: { bundle: 'service', path: TOKEN_PATHS.service, headers: NO_CACHE },
  cached: { bundle: 'service', path: TOKEN_PATHS.service, requests: CHEAP_REQUESTS },
  health: { bundle: 'service', path: '/health', requests: CHEAP_REQUESTS },
  start: { bundle: 'service', path: '/oauth/start/unfinished', status: 302 },
  'before: uncached': { bundle: 'before', path: TOKEN_PATHS.before, headers: NO_CACHE },
  'before: cached': { bundle: 'before', path: TOKEN_PATHS.before, requests: CHEAP_REQUESTS },
  'before: health': { bundle: 'before', path: '/health', requests: CHEAP_REQUESTS },
}

const REQUESTS = 1_000

/** Two programs must return the same fields in a body of the same length. */
const describeResponse = async ({ target }: Case) => {
  const response = await fetch(target.url, { headers: target.headers })
  const body = await response.text()
  return `${response.status}, ${body.length} characters: ${Object.keys(JSON.parse(body)).join(' ')}`
}

const requireEqualResponses = async (cases: readonly Case[]) => {
  const reads = cases.filter(({ target }) => target.url.includes('/api/token/'))
  const descriptions = await Promise.all(reads.map(async (one) => `${one.name}: ${await describeResponse(one)}`))
  const bodies = new Set(descriptions.map((text) => text.slice(text.lastIndexOf(': 200'))))
  if (bodies.size > 1) throw new Error(`The responses differ.\n${descriptions.join('\n')}`)
}

/** Starts one process for each case, over one table, and checks that all return the same token response. */
export const startCases = async (bundles: Bundles, vars: Record<string, string>) => {
  const running: Workerd[] = []
  const cases: Case[] = []
  for (const [name, { bundle, path, headers = {}, status = 200, requests = REQUESTS }] of Object.entries(PLANS)) {
    const script = bundles[bundle]
    if (script === undefined) continue
    const { pid, url, close } = await startWorkerd({ script, vars })
    running.push({ pid, url, urls: [url], close })
    const target = { url: `${url}${path}`, headers: { 'X-API-Key': vars['API_KEY'] ?? '', ...headers }, status }
    cases.push({ name, pid, target, requests })
  }
  await requireEqualResponses(cases)
  return { cases, close: () => Promise.all(running.map((program) => program.close())) }
}
