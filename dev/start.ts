import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { fail, takeNoArguments } from './arguments.ts'
import { startDynamoDb } from './dynamodb.ts'
import { lockFolder } from './folder-lock.ts'
import { startIntuit } from './intuit/server.ts'
import { LOOPBACK } from './listen.ts'
import { startCron } from './local-cron.ts'
import { clearAwsSettings } from './local-environment.ts'
import { onOrphaned } from './orphan.ts'
import { readPort, requireFreePort } from './ports.ts'
import { loadLocalSecrets, type Secrets } from './secrets.ts'
import { createTable, IndexMismatchError } from './table.ts'
import { FLEET_INDEX } from './table-definition.ts'
import { startWorker } from './worker.ts'

const HELP = `
npm start: runs the whole service on this machine, offline.

  PORT                        the Worker's port (default 8787)
  BROKER_DATA_DIR             the folder for data and secrets (default .local)
  DYNAMODB_FLEET_INDEX=fleet  lists connections in /api/connections and in the console. Also runs the cron every minute,
                              which counts connections for /api/connections/summary and refreshes idle ones

Ignores the AWS settings of this machine (AWS_PROFILE, AWS_ENDPOINT_URL, ~/.aws …).

Prints a link to connect a company, the API key and curl lines, then "Ready on …". Ctrl-C stops it.
`
const TABLE = 'quickbooks-connections'
const REGION = 'us-east-1'
const ACCESS_KEY_ID = 'LOCAL'

type Closable = { close(): Promise<void> }

/** Returns whether the table has the index. The embedded engine cannot add it to a table of an earlier version. */
const prepareTable = async (endpoint: string, secrets: Secrets): Promise<boolean> => {
  const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: secrets.awsSecretAccessKey }
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials })
  try {
    return (await createTable(client, TABLE)).index === 'ready'
  } catch (error) {
    if (error instanceof IndexMismatchError) return false
    throw error
  } finally {
    client.destroy()
  }
}

/** The name of the index, if the variable is set. Without it, the API does not list connections, as in its reference. */
const readIndexName = () => {
  const name = process.env['DYNAMODB_FLEET_INDEX']
  return !name || name === FLEET_INDEX
    ? name
    : fail(`DYNAMODB_FLEET_INDEX must be ${FLEET_INDEX}, the index of the local table.`)
}

const toNoIndexWarning = (folder: string) => `
The table in ${join(folder, 'dynamodb')} is of an earlier version. It lacks the index ${FLEET_INDEX}, and the embedded
engine cannot add it. The service does not list, count or automatically refresh connections. Everything else works.
To get the index, remove ${folder} and start over, or set BROKER_DATA_DIR to another folder.
`

const createVariables = (origin: string, tableUrl: string, intuitUrl: string, secrets: Secrets) => ({
  API_KEY: secrets.apiKey,
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: ACCESS_KEY_ID,
  AWS_SECRET_ACCESS_KEY: secrets.awsSecretAccessKey,
  DYNAMODB_TABLE: TABLE,
  DYNAMODB_ENDPOINT: tableUrl,
  QUICKBOOKS_CLIENT_ID: secrets.production.clientId,
  QUICKBOOKS_CLIENT_SECRET: secrets.production.clientSecret,
  QUICKBOOKS_SANDBOX_CLIENT_ID: secrets.sandbox.clientId,
  QUICKBOOKS_SANDBOX_CLIENT_SECRET: secrets.sandbox.clientSecret,
  QUICKBOOKS_REDIRECT_URI: `${origin}/oauth/callback`,
  INTUIT_AUTHORIZATION_ENDPOINT: `${intuitUrl}/connect/oauth2`,
  INTUIT_TOKEN_ENDPOINT: `${intuitUrl}/oauth2/v1/tokens/bearer`,
  INTUIT_ISSUER: `${intuitUrl}/op/v1`,
  QUICKBOOKS_SCOPES: 'com.intuit.quickbooks.accounting openid',
  INTUIT_REVOCATION_ENDPOINT: `${intuitUrl}/v2/oauth2/tokens/revoke`,
  TOKEN_ENCRYPTION_KEYS: secrets.tokenEncryptionKeys,
})

const startStandIn = (secrets: Secrets, redirectUri: string, folder: string) =>
  startIntuit({
    apps: [
      { environment: 'production', ...secrets.production, redirectUris: [redirectUri] },
      { environment: 'sandbox', ...secrets.sandbox, redirectUris: [redirectUri] },
    ],
    stateFile: join(folder, 'intuit.json'),
  })

const toInstructions = (origin: string, apiKey: string, folder: string) => `
Connect a company in your browser:
  ${origin}/oauth/start/beach-blend?company_name=Beach%20Blend

API key:
  ${apiKey}

Manage connections, with this key:
  ${origin}/console

API reference, with examples to run:
  ${origin}/docs

Read its token, force a refresh, read its metadata:
  curl -sS -H "X-API-Key: ${apiKey}" "${origin}/api/token/beach-blend"
  curl -sS -X POST -H "X-API-Key: ${apiKey}" "${origin}/api/token/beach-blend/refresh"
  curl -sS -H "X-API-Key: ${apiKey}" "${origin}/api/connections/beach-blend"

Data and secrets are in ${folder}. Remove it to start over. Ctrl-C stops everything.

`

const CLOSE_TIMEOUT_MS = 5_000

/** Closes everything on a signal, last started first. Ctrl-C arrives twice, from the terminal and from npm. */
const closeOnSignal = (started: Closable[]) => {
  let isClosing = false
  const end = async () => {
    if (isClosing) return
    isClosing = true
    setTimeout(() => process.exit(1), CLOSE_TIMEOUT_MS).unref()
    for (const one of started.reverse()) await one.close()
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end())
  onOrphaned(() => void end())
}

const start = async () => {
  takeNoArguments(HELP)
  clearAwsSettings()
  const port = readPort()
  const indexName = readIndexName()
  const folder = process.env['BROKER_DATA_DIR'] || fileURLToPath(new URL('../.local', import.meta.url))
  await requireFreePort(port)
  const secrets = loadLocalSecrets(folder)
  if (!(await lockFolder(folder))) fail(`Another npm start is using ${folder}. End it, or set BROKER_DATA_DIR.`)

  const started: Closable[] = []
  closeOnSignal(started)
  const engine = await startDynamoDb({ path: join(folder, 'dynamodb') })
  started.push(engine)
  const hasIndex = await prepareTable(engine.url, secrets)
  const listed = hasIndex && indexName ? { DYNAMODB_FLEET_INDEX: indexName } : undefined

  const origin = `http://localhost:${port}`
  const intuit = await startStandIn(secrets, `${origin}/oauth/callback`, folder)
  started.push(intuit)

  const vars = { ...createVariables(origin, engine.url, intuit.url, secrets), ...listed }
  const onOutput = (text: string) => process.stderr.write(text)
  const worker = await startWorker({
    vars,
    port,
    host: LOOPBACK,
    withAssets: true,
    onOutput,
    storageFolder: join(folder, 'rescue'),
  })
  started.push(worker)
  // The cron needs the index.
  if (listed)
    started.push(startCron(worker.scheduled, () => onOutput('The cron failed. The next run is in a minute.\n')))
  process.stdout.write(toInstructions(origin, secrets.apiKey, folder))
  if (indexName && !hasIndex) process.stderr.write(toNoIndexWarning(folder))
  process.stdout.write(`Ready on ${origin}\n`)
}

start().catch((error: unknown) => fail(error instanceof Error ? error.message : 'The start failed.'))
