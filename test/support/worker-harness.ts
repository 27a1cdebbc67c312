import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteItemCommand, GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { startDynamoDb } from '../../dev/dynamodb.ts'
import { consent } from '../../dev/intuit/client.ts'
import { type Intuit, startIntuit } from '../../dev/intuit/server.ts'
import { createTable } from '../../dev/table.ts'
import { type LocalWorker, startWorker } from '../../dev/worker.ts'
import { adminClient, testStorage } from './engine.ts'
import { startEngineProxy } from './engine-proxy.ts'
import { createIntuitControl } from './intuit-control.ts'
import { startIntuitProxy } from './intuit-proxy.ts'

const secret = () => randomBytes(24).toString('base64url')

/** Long timeouts, so that tests pass on a busy machine. A test about timeouts sets its own. Milliseconds. */
const LONG_TIMEOUTS = {
  DYNAMODB_TIMEOUT_MS: '30000',
  REFRESH_LEASE_MS: '90000',
  REFRESH_DEADLINE_MS: '60000',
  REFRESH_WAIT_MS: '30000',
}

/** Nothing listens here: tests send the query of this URI to the Worker themselves. */
const REDIRECT_URI = 'http://localhost:8787/oauth/callback'

/** The number of reads before `connect` stops waiting for the outcome, because a test may block its write. */
const OUTCOME_READS = 250

interface ServiceOptions {
  /** Overrides the default variables. `undefined` removes a variable. */
  vars?: Record<string, string | undefined>
  /** The number of Workers that share the table, the stand-in and a rescue store in a separate process. Default: one Worker with its own rescue store. */
  workers?: number
  rescue?: 'none'
  /** The port of the Worker and of the redirect URI, for tests with a browser. The Worker then serves the static assets. */
  port?: number
  /** The limit per minute of each rate-limit binding. Default: no binding. */
  rateLimits?: Record<string, number>
}

const createVars = (
  tableUrl: string,
  intuit: Intuit,
  tokenUrl: string,
  pairs: ReturnType<typeof createClientCredentials>,
) => {
  const { region, accessKeyId, secretAccessKey, table } = testStorage(tableUrl)
  return {
    API_KEY: secret(),
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    DYNAMODB_TABLE: table,
    DYNAMODB_ENDPOINT: tableUrl,
    QUICKBOOKS_CLIENT_ID: pairs.production.clientId,
    QUICKBOOKS_CLIENT_SECRET: pairs.production.clientSecret,
    QUICKBOOKS_SANDBOX_CLIENT_ID: pairs.sandbox.clientId,
    QUICKBOOKS_SANDBOX_CLIENT_SECRET: pairs.sandbox.clientSecret,
    QUICKBOOKS_REDIRECT_URI: REDIRECT_URI,
    INTUIT_AUTHORIZATION_ENDPOINT: `${intuit.url}/connect/oauth2`,
    INTUIT_TOKEN_ENDPOINT: `${tokenUrl}/oauth2/v1/tokens/bearer`,
    INTUIT_ISSUER: `${intuit.url}/op/v1`,
    INTUIT_REVOCATION_ENDPOINT: `${intuit.url}/v2/oauth2/tokens/revoke`,
    TOKEN_ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
    ...LONG_TIMEOUTS,
  }
}

const createClientCredentials = () => ({
  production: { clientId: `production-${secret()}`, clientSecret: secret() },
  sandbox: { clientId: `sandbox-${secret()}`, clientSecret: secret() },
})

const removeUndefined = (vars: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(vars).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))

/** Reads and writes the table without the counting proxy. */
export const tableAccess = (engineUrl: string, table: string) => {
  const client = adminClient(engineUrl)
  return {
    client,
    item: async (pk: string) =>
      (await client.send(new GetItemCommand({ TableName: table, Key: { pk: { S: pk } } }))).Item,
    put: (item: NonNullable<ConstructorParameters<typeof PutItemCommand>[0]['Item']>) =>
      client.send(new PutItemCommand({ TableName: table, Item: item })),
    remove: (pk: string) => client.send(new DeleteItemCommand({ TableName: table, Key: { pk: { S: pk } } })),
    all: async () => (await client.send(new ScanCommand({ TableName: table }))).Items ?? [],
  }
}

/** Starts the service: Workers in workerd, a DynamoDB engine behind a counting proxy, and the stand-in for Intuit. */
export const startService = async ({ vars = {}, workers, rescue, port, rateLimits = {} }: ServiceOptions = {}) => {
  const redirectUri = port === undefined ? REDIRECT_URI : `http://localhost:${port}/oauth/callback`
  const pairs = createClientCredentials()
  const engine = await startDynamoDb()
  const proxy = await startEngineProxy(engine.url)
  const intuit = await startIntuit({
    apps: [
      { environment: 'production', ...pairs.production, redirectUris: [redirectUri] },
      { environment: 'sandbox', ...pairs.sandbox, redirectUris: [redirectUri] },
    ],
  })
  const tokenEndpoint = await startIntuitProxy(intuit.url)
  const table = tableAccess(engine.url, testStorage(engine.url).table)
  await createTable(table.client, testStorage(engine.url).table)
  let output = ''
  const configured = {
    ...createVars(proxy.url, intuit, tokenEndpoint.url, pairs),
    QUICKBOOKS_REDIRECT_URI: redirectUri,
  }
  const env = removeUndefined({ ...configured, ...vars })
  const onOutput = (text: string) => (output += text)
  const registry = workers === undefined ? undefined : mkdtempSync(join(tmpdir(), 'broker-registry-'))
  const host = async (folder: string) =>
    startWorker({ vars: env, name: 'rescue-host', registry: folder, storageFolder: join(folder, 'parked') })
  let shared = registry === undefined ? undefined : await host(registry)
  let started = 0
  const start = () =>
    startWorker({
      ...(port === undefined ? {} : { port, withAssets: true }),
      ...{ vars: env, onOutput, rateLimits },
      ...(registry
        ? { registry, name: `broker-${++started}`, rescue: rescue ?? { worker: 'rescue-host' } }
        : { rescue: rescue ?? 'own' }),
    })
  const running: [LocalWorker, ...LocalWorker[]] = [await start()]
  while (running.length < (workers ?? 1)) running.push(await start())
  const [{ url }] = running

  const request = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, running[0].url), { redirect: 'manual', ...init })
  const api = (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers)
    headers.set('X-API-Key', env['API_KEY'] ?? '')
    return request(path, { ...init, headers })
  }

  /** Starts and grants a consent. Returns the path and query of the callback. */
  const consented = async (companyKey: string, options: { companyName?: string; realmId?: string } = {}) => {
    const query = options.companyName === undefined ? '' : `?company_name=${encodeURIComponent(options.companyName)}`
    const started = await request(`/oauth/start/${companyKey}${query}`)
    const location = started.headers.get('Location')
    if (!location) throw new Error(`Start answered ${started.status}.`)
    const choice = options.realmId === undefined ? {} : { realmId: options.realmId }
    const back = new URL(await consent(location, choice))
    return `${back.pathname}${back.search}`
  }

  /** Waits until the outcome of a consent is stored. The Worker stores it after the response, and tests must not count that write. */
  const outcomeRecorded = async (path: string) => {
    const nonce = new URL(path, url).searchParams.get('state')?.split(':')[1]
    for (let reads = 0; reads < OUTCOME_READS; reads++) {
      if ((await table.item(`state#${nonce}`))?.['outcome']) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  return {
    url,
    /** The current origins of the Workers. */
    urls: () => running.map((worker) => worker.url),
    /** Kills a Worker with all its work under way, and starts another one. */
    replace: async (index: number) => {
      await running[index]?.close()
      running[index] = await start()
    },
    /** Stops the process of the rescue store. */
    closeRescue: async () => {
      const closing = shared
      shared = undefined
      await closing?.close()
    },
    /** Starts the rescue store again with the parked pairs. */
    reopenRescue: async () => {
      if (registry) shared = await host(registry)
    },
    /** The token pair that is parked for a used token. Rejects while the rescue store is stopped. */
    findParked: (companyKey: string, usedTokenHash: string) =>
      (shared ?? running[0]).findParked(companyKey, usedTokenHash),
    /** Runs the cron of the first Worker once. */
    scheduled: () => running[0].scheduled(),
    apiKey: env['API_KEY'] ?? '',
    vars: env,
    fetch: request,
    api,
    consented,
    connect: async (companyKey: string, options?: { companyName?: string; realmId?: string }) => {
      const path = await consented(companyKey, options)
      const answer = await request(path)
      if (answer.ok) await outcomeRecorded(path)
      return answer
    },
    /** `client` uses the engine itself, `proxied` the proxy that the Worker uses. */
    dynamo: { ...proxy, ...table, engineUrl: engine.url, proxied: adminClient(proxy.url) },
    intuit: createIntuitControl(intuit.url),
    /** The proxy in front of Intuit's token endpoint. */
    tokenEndpoint,
    pairs,
    logs: () => output,
    close: async () => {
      await Promise.all(running.map((worker) => worker.close()))
      await shared?.close()
      if (registry) rmSync(registry, { recursive: true, force: true })
      await Promise.all([tokenEndpoint.close(), intuit.close(), proxy.close(), engine.close()])
    },
  }
}

export type Service = Awaited<ReturnType<typeof startService>>
