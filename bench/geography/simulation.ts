import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as v from 'valibot'
import { bundleWorker } from '../../dev/bundle.ts'
import { serveParent } from '../child.ts'
import { AT_HOME, CALLER_MS, HOME, PLACES, type Place, SET_UPS, type SetUp } from './delays.ts'
import type { GeographyRow } from './geography.ts'
import { provideWorkersRuntime } from './workers-globals.ts'
import { takeOverWorld } from './world.ts'

// The built Worker itself, an instance for each place, in a world whose clock only the network moves.

const START_MS = Date.UTC(2026, 0, 1)
/** Every place asks for the token of one connection, once a second for two minutes. */
const REQUESTS = 120
const EVERY_MS = 1_000
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

const varsFor = (replicas: readonly string[], cached: boolean) => ({
  API_KEY,
  AWS_REGION: HOME,
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'simulated',
  DYNAMODB_TABLE: 'connections',
  DYNAMODB_READ_REGIONS: replicas.join(','),
  // Not by no-cache, which is answered at home.
  ...(cached ? {} : { TOKEN_CACHE_SECONDS: '0' }),
})

const requestFrom = (place: Place) => {
  const request = new Request('https://broker.example/api/token/beach', { headers: { 'X-API-Key': API_KEY } })
  Object.defineProperty(request, 'cf', {
    value: { continent: place.continent, longitude: String(place.longitude) },
  })
  return request
}

const context = { waitUntil: () => undefined, passThroughOnException: () => undefined }

provideWorkersRuntime()
const world = takeOverWorld(new Map([[record.pk.S, record]]), START_MS)

/** How long each request of a place took, in ms. */
const latencies = async (bundle: string, place: Place, { replicas, placed }: SetUp, cached: boolean) => {
  const worker = v.parse(WORKER, await import(bundle)).default
  const env = varsFor(replicas, cached)
  const taken: number[] = []
  for (let count = 0; count < REQUESTS; count++) {
    const sentAt = START_MS + count * EVERY_MS
    world.stand(placed ? AT_HOME : place, sentAt)
    const answer: unknown = await worker.fetch(requestFrom(place), env, context)
    if (!(answer instanceof Response) || answer.status !== 200) throw new Error('The simulated Worker gave no token.')
    taken.push(world.now() - sentAt + CALLER_MS + (placed ? place.roundTripMs[HOME] : 0))
  }
  return taken
}

const simulate = async (): Promise<GeographyRow[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'broker-bench-'))
  const file = join(folder, 'worker.mjs')
  await writeFile(file, await bundleWorker())
  const rows: GeographyRow[] = []
  for (const setUp of SET_UPS) {
    for (const cached of [false, true]) {
      for (const place of PLACES) {
        const bundle = `${pathToFileURL(file).href}?isolate=${rows.length}`
        const latenciesMs = await latencies(bundle, place, setUp, cached)
        rows.push({ place: place.name, setUp: setUp.name, cached, latenciesMs })
      }
    }
  }
  await rm(folder, { recursive: true, force: true })
  return rows
}

serveParent({ rows: await simulate() })
