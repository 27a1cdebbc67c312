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
import { intuitControl } from './intuit-control.ts'
import { startIntuitProxy } from './intuit-proxy.ts'

const secret = () => randomBytes(24).toString('base64url')

/**
 * Times that a busy machine keeps: a request to the table may take long without being lost, and a request that waited
 * for a core may still refresh. A test that is about the real times sets its own.
 */
const PATIENCE = {
  DYNAMODB_TIMEOUT_MS: '30000',
  REFRESH_LEASE_MS: '90000',
  REFRESH_DEADLINE_MS: '60000',
  REFRESH_WAIT_MS: '30000',
}

/** The redirect URI need not lead anywhere: tests take the `Location` to the Worker themselves. */
const REDIRECT_URI = 'http://localhost:8787/oauth/callback'

/** A table that a test keeps from taking the outcome is not waited for longer. */
const OUTCOME_LOOKS = 250

interface ServiceOptions {
  /** Over the defaults of a whole set-up; `undefined` takes a variable away. */
  vars?: Record<string, string | undefined>
  /** How many Workers share the table, the stand-in and, in a process of its own, the rescue store. One has its own if absent. */
  workers?: number
  rescue?: 'none'
  /** Where the Worker listens and the redirect URI leads, so that a browser can go the whole way; with the static assets. */
  port?: number
  /** Uses a minute that each rate-limit binding lets through; none is bound if absent. */
  rateLimits?: Record<string, number>
}

const wholeSetUp = (tableUrl: string, intuit: Intuit, tokenUrl: string, pairs: ReturnType<typeof clientPairs>) => {
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
    INTUIT_REVOCATION_ENDPOINT: `${intuit.url}/v2/oauth2/tokens/revoke`,
    TOKEN_ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
    ...PATIENCE,
  }
}

const clientPairs = () => ({
  production: { clientId: `production-${secret()}`, clientSecret: secret() },
  sandbox: { clientId: `sandbox-${secret()}`, clientSecret: secret() },
})

const setOnly = (vars: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(vars).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))

/** What a test does with the table behind the Worker's back, uncounted. */
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

/** The whole service: the Worker in workerd, a real DynamoDB engine behind a counting proxy, the stand-in for Intuit. */
export const startService = async ({ vars = {}, workers, rescue, port, rateLimits = {} }: ServiceOptions = {}) => {
  const redirectUri = port === undefined ? REDIRECT_URI : `http://localhost:${port}/oauth/callback`
  const pairs = clientPairs()
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
    ...wholeSetUp(proxy.url, intuit, tokenEndpoint.url, pairs),
    QUICKBOOKS_REDIRECT_URI: redirectUri,
  }
  const env = setOnly({ ...configured, ...vars })
  const onOutput = (text: string) => (output += text)
  const registry = workers === undefined ? undefined : mkdtempSync(join(tmpdir(), 'broker-registry-'))
  const host = async (folder: string) =>
    startWorker({ vars: env, name: 'rescue-host', registry: folder, keep: join(folder, 'parked') })
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

  /** Start and consent: the path and query that the browser would bring to the callback. */
  const consented = async (companyKey: string, options: { companyName?: string; realmId?: string } = {}) => {
    const query = options.companyName === undefined ? '' : `?company_name=${encodeURIComponent(options.companyName)}`
    const started = await request(`/oauth/start/${companyKey}${query}`)
    const location = started.headers.get('Location')
    if (!location) throw new Error(`Start answered ${started.status}.`)
    const choice = options.realmId === undefined ? {} : { realmId: options.realmId }
    const back = new URL(await consent(location, choice))
    return `${back.pathname}${back.search}`
  }

  /** The outcome of a consent is written after its response: what a test counts next must not count that. */
  const outcomeRecorded = async (path: string) => {
    const nonce = new URL(path, url).searchParams.get('state')?.split(':')[1]
    for (let looks = 0; looks < OUTCOME_LOOKS; looks++) {
      if ((await table.item(`state#${nonce}`))?.['outcome']) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  return {
    url,
    /** The Workers' origins, as they are now. */
    urls: () => running.map((worker) => worker.url),
    /** Ends a Worker as a machine ends: whatever it was at is gone. Another takes its place. */
    replace: async (index: number) => {
      await running[index]?.close()
      running[index] = await start()
    },
    /** Ends the process that holds the parked pairs. */
    closeRescue: async () => {
      const closing = shared
      shared = undefined
      await closing?.close()
    },
    /** Starts it again, with what was parked. */
    reopenRescue: async () => {
      if (registry) shared = await host(registry)
    },
    /** What is parked for a spent token. Rejects while the process that knows is closed. */
    parked: (companyKey: string, usedTokenHash: string) => (shared ?? running[0]).parked(companyKey, usedTokenHash),
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
    /** `client` sees the table itself, `proxied` what the Worker sees of it. */
    dynamo: { ...proxy, ...table, engineUrl: engine.url, proxied: adminClient(proxy.url) },
    intuit: intuitControl(intuit.url),
    /** What stands before Intuit's token endpoint. */
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
