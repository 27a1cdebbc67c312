import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parentPort } from 'node:worker_threads'
import * as v from 'valibot'
import { bundleWorker } from '../../dev/bundle.ts'
import { CALLER_MS, DEPLOYMENTS, type Deployment, NEXT_TO_PRIMARY, PLACES, type Place, PRIMARY } from './delays.ts'
import type { GeographyRow } from './geography.ts'
import { simulateNetwork } from './network.ts'
import { provideWorkersRuntime } from './workers-globals.ts'

// Runs the built Worker, one instance per place, over a simulated network.

const START_MS = Date.UTC(2026, 0, 1)
/** Every place requests the token of one connection once per second, for two minutes. */
const REQUESTS = 120
const INTERVAL_MS = 1_000
const API_KEY = 'simulated'

const WORKER = v.object({ default: v.object({ fetch: v.function() }) })

const record = {
  pk: { S: 'connection#beach' },
  company_key: { S: 'beach' },
  company_name: { S: 'Beach Blend' },
  realm_id: { S: '12314585920123' },
  access_token: { S: 'simulated-access-token' },
  access_token_expires_at: { N: String(START_MS / 1000 + 3600) },
  refresh_token: { S: 'simulated-refresh-token' },
  refresh_token_expires_at: { N: String(START_MS / 1000 + 8_000_000) },
  uses_sandbox_credentials: { BOOL: false },
}

const createVars = (replicas: readonly string[], isCached: boolean) => ({
  API_KEY,
  AWS_REGION: PRIMARY,
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'simulated',
  DYNAMODB_TABLE: 'connections',
  DYNAMODB_READ_REGIONS: replicas.join(','),
  // Requests with `no-cache` would go to the primary region.
  ...(isCached ? {} : { TOKEN_CACHE_SECONDS: '0' }),
})

const createRequest = ({ continent, longitude }: Place) => {
  const request = new Request('https://broker.example/api/token/beach', { headers: { 'X-API-Key': API_KEY } })
  Object.defineProperty(request, 'cf', { value: { continent, longitude: String(longitude) } })
  return request
}

const context = { waitUntil: () => undefined, passThroughOnException: () => undefined }

provideWorkersRuntime()
const network = simulateNetwork(new Map([[record.pk.S, record]]))

/** The latency of each request from a place, in ms. */
const measureLatencies = async (bundle: string, place: Place, deployment: Deployment, isCached: boolean) => {
  const { replicas, isPlaced } = deployment
  const worker = v.parse(WORKER, await import(bundle)).default
  const env = createVars(replicas, isCached)
  const latencies: number[] = []
  for (let count = 0; count < REQUESTS; count++) {
    const sentAt = START_MS + count * INTERVAL_MS
    network.moveTo(isPlaced ? NEXT_TO_PRIMARY : place, sentAt)
    const response: unknown = await worker.fetch(createRequest(place), env, context)
    if (!(response instanceof Response) || response.status !== 200) throw new Error('The Worker returned no token.')
    latencies.push(network.now() - sentAt + CALLER_MS + (isPlaced ? place.roundTripMs[PRIMARY] : 0))
  }
  return latencies
}

const simulate = async (): Promise<GeographyRow[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'broker-bench-'))
  const file = join(folder, 'worker.mjs')
  await writeFile(file, await bundleWorker())
  const rows: GeographyRow[] = []
  for (const deployment of DEPLOYMENTS) {
    for (const isCached of [false, true]) {
      for (const place of PLACES) {
        const bundle = `${pathToFileURL(file).href}?isolate=${rows.length}`
        const latenciesMs = await measureLatencies(bundle, place, deployment, isCached)
        rows.push({ place: place.name, deployment: deployment.name, isCached, latenciesMs })
      }
    }
  }
  await rm(folder, { recursive: true, force: true })
  return rows
}

parentPort?.postMessage(await simulate())
