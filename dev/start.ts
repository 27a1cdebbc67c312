import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { fail, takeNoArguments } from './arguments.ts'
import { startDynamoDb } from './dynamodb.ts'
import { lockFolder } from './folder-lock.ts'
import { startIntuit } from './intuit/server.ts'
import { closeServer, LOOPBACK, listen } from './listen.ts'
import { whenOrphaned } from './orphan.ts'
import { localSecrets, type Secrets } from './secrets.ts'
import { createTable } from './table.ts'
import { startWorker } from './worker.ts'

const HELP = `
npm start: the whole service on this machine, offline.

  PORT                        the Worker's port (default 8787)
  BROKER_DATA_DIR             the folder of its data and secrets (default .local)
  DYNAMODB_FLEET_INDEX=fleet  lists the connections, at /api/connections and in the console

Prints a link to connect a company, the API key and curl lines, then "Ready on …". Ctrl-C ends all of it.
`
const TABLE = 'quickbooks-connections'
const REGION = 'us-east-1'
const ACCESS_KEY_ID = 'LOCAL'

type Closable = { close(): Promise<void> }

const readPort = () => {
  const text = process.env['PORT'] || '8787'
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : fail('PORT must be a number from 1 to 65535.')
}

const requireFreePort = async (port: number) => {
  const probe = createServer()
  try {
    await listen(probe, port)
  } catch {
    fail(`Port ${port} is busy. Choose another: PORT=${port + 1} npm start`)
  }
  await closeServer(probe)
}

const prepareTable = async (endpoint: string, secrets: Secrets) => {
  const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: secrets.awsSecretAccessKey }
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials })
  await createTable(client, TABLE)
  client.destroy()
}

/** The index is there either way; without the variable the API answers as its reference says. */
const fleetIndex = () => {
  const name = process.env['DYNAMODB_FLEET_INDEX']
  return name ? { DYNAMODB_FLEET_INDEX: name } : undefined
}

const workerVariables = (origin: string, tableUrl: string, intuitUrl: string, secrets: Secrets) => ({
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
  INTUIT_REVOCATION_ENDPOINT: `${intuitUrl}/v2/oauth2/tokens/revoke`,
  TOKEN_ENCRYPTION_KEYS: secrets.tokenEncryptionKeys,
  ...fleetIndex(),
})

const instructions = (origin: string, apiKey: string, folder: string) => `
Connect a company in your browser:
  ${origin}/oauth/start/beach-blend?company_name=Beach%20Blend

API key of this machine:
  ${apiKey}

Watch and mend the connections, with that key:
  ${origin}/console

The API, to read and try out:
  ${origin}/docs

Read its token, force a refresh, read its metadata:
  curl -sS -H "X-API-Key: ${apiKey}" "${origin}/api/token/beach-blend"
  curl -sS -X POST -H "X-API-Key: ${apiKey}" "${origin}/api/token/beach-blend/refresh"
  curl -sS -H "X-API-Key: ${apiKey}" "${origin}/api/connections/beach-blend"

Data and secrets are kept in ${folder}; remove it to begin anew. Ctrl-C ends everything.

`

const PATIENCE_MS = 5_000

/** Ends what was started, last first. Ctrl-C comes twice, from the terminal and from npm: the second one changes nothing. */
const endWhenTold = (parts: Closable[]) => {
  let ending = false
  const end = async () => {
    if (ending) return
    ending = true
    setTimeout(() => process.exit(1), PATIENCE_MS).unref()
    for (const part of parts.reverse()) await part.close()
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end())
  whenOrphaned(() => void end())
}

const start = async () => {
  takeNoArguments(HELP)
  const port = readPort()
  const folder = process.env['BROKER_DATA_DIR'] || fileURLToPath(new URL('../.local', import.meta.url))
  await requireFreePort(port)
  const secrets = localSecrets(folder)
  if (!lockFolder(folder)) fail(`Another npm start is using ${folder}. End it, or set BROKER_DATA_DIR.`)

  const parts: Closable[] = []
  endWhenTold(parts)
  const engine = await startDynamoDb({ path: join(folder, 'dynamodb') })
  parts.push(engine)
  await prepareTable(engine.url, secrets)

  const origin = `http://localhost:${port}`
  const redirectUris = [`${origin}/oauth/callback`]
  const intuit = await startIntuit({
    apps: [
      { environment: 'production', ...secrets.production, redirectUris },
      { environment: 'sandbox', ...secrets.sandbox, redirectUris },
    ],
    stateFile: join(folder, 'intuit.json'),
  })
  parts.push(intuit)

  const vars = workerVariables(origin, engine.url, intuit.url, secrets)
  const onOutput = (text: string) => process.stderr.write(text)
  parts.push(
    await startWorker({ vars, port, host: LOOPBACK, withAssets: true, onOutput, keep: join(folder, 'rescue') }),
  )
  process.stdout.write(instructions(origin, secrets.apiKey, folder))
  process.stdout.write(`Ready on ${origin}\n`)
}

start().catch((error: unknown) => fail(error instanceof Error ? error.message : 'The start failed.'))
