import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import * as v from 'valibot'
import { fail, takeNoArguments } from './arguments.ts'
import { startDynamoDb } from './dynamodb.ts'
import { consent } from './intuit/client.ts'
import { startIntuit } from './intuit/server.ts'
import { closeServer, listen } from './listen.ts'
import { clearAwsSettings } from './local-environment.ts'
import { createTable } from './table.ts'

const HELP = `
npm run smoke: tests npm start and wrangler dev over HTTP, as a new user does: connects a company, reads its token, forces
a refresh, reads its metadata.
`
const READY_WITHIN_MS = 90_000
const TOKEN = v.object({ access_token: v.string(), company_key: v.literal('beach-blend') })

const print = (text: string) => process.stdout.write(`${text}\n`)
const expectThat = (condition: boolean, text: string) => {
  if (!condition) throw new Error(`Expected: ${text}`)
  print(`ok: ${text}`)
}

const findFreePort = async () => {
  const server = createServer()
  const port = await listen(server)
  await closeServer(server)
  return port
}

const started: ChildProcess[] = []

/** Runs a command in its own process group, so that the whole group can be ended. */
const run = (command: string, args: string[], env: Record<string, string>) => {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return { child, ended, output: () => output }
}
type Running = ReturnType<typeof run>

const signalGroup = ({ pid }: ChildProcess, signal: NodeJS.Signals) => {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    // The group has ended.
  }
}
process.on('exit', () => {
  for (const child of started) signalGroup(child, 'SIGKILL')
})
setTimeout(() => fail('The smoke run took longer than four minutes.'), 240_000).unref()

const waitUntil = async (condition: () => boolean | Promise<boolean>, what: string) => {
  const timeoutAt = Date.now() + READY_WITHIN_MS
  while (!(await condition())) {
    if (Date.now() > timeoutAt) throw new Error(`Timed out waiting for ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const isHealthy = (origin: string) =>
  fetch(`${origin}/health`).then(
    (answer) => answer.ok,
    () => false,
  )

/** Parses a printed curl line. Returns a function that sends its request. */
const parseCurlLine = (output: string, path: RegExp) => {
  const line = output.split('\n').find((one) => one.includes('curl') && path.test(one)) ?? ''
  const url = /"(http[^"]+)"/.exec(line)?.[1]
  const key = /X-API-Key: ([^"]+)"/.exec(line)?.[1]
  if (!url || !key) throw new Error('The curl line is not printed.')
  return () => fetch(url, { method: line.includes('-X POST') ? 'POST' : 'GET', headers: { 'X-API-Key': key } })
}

const connect = async (startLink: string) => {
  const started = await fetch(startLink, { redirect: 'manual' })
  const callback = await consent(started.headers.get('Location') ?? '', {})
  const connected = await fetch(callback, { headers: { Accept: 'text/html' } })
  expectThat(connected.status === 200, 'the callback responds with 200 and a page')
}

const readToken = async (call: () => Promise<Response>) => v.parse(TOKEN, await (await call()).json()).access_token

const useService = async (
  token: () => Promise<Response>,
  refresh: () => Promise<Response>,
  metadata: () => Promise<Response>,
) => {
  const first = await readToken(token)
  const second = await readToken(refresh)
  expectThat(first !== second, 'a forced refresh returns another token')
  expectThat((await readToken(token)) === second, 'the next read returns the refreshed token')
  const { connected } = v.parse(v.object({ connected: v.boolean() }), await (await metadata()).json())
  expectThat(connected, 'the metadata has connected: true')
  return second
}

const expectEnd = async (signal: () => void, running: Running, port: number, what: string) => {
  signal()
  await running.ended
  await waitUntil(async () => !(await isHealthy(`http://127.0.0.1:${port}`)), 'the Worker to end')
  print(`ok: ${what} ends it`)
}

const smokeStart = async (folder: string) => {
  const port = await findFreePort()
  const env = { PORT: String(port), BROKER_DATA_DIR: folder }
  const ready = (running: Running) => () => running.output().includes(`Ready on http://localhost:${port}\n`)
  const first = run('npm', ['start'], env)
  await waitUntil(ready(first), 'npm start to be ready')
  const output = first.output()
  await connect(/http:\S+\/oauth\/start\/\S+/.exec(output)?.[0] ?? '')
  const token = parseCurlLine(output, /api\/token\/beach-blend"/)
  const latest = await useService(token, parseCurlLine(output, /refresh"/), parseCurlLine(output, /api\/connections/))

  const second = run('npm', ['start'], { ...env, BROKER_DATA_DIR: `${folder}-other` })
  expectThat((await second.ended) !== 0 && second.output().includes(`Port ${port} is busy`), 'a busy port is reported')
  await expectEnd(() => signalGroup(first.child, 'SIGINT'), first, port, 'Ctrl-C')

  const again = run('npm', ['start'], env)
  await waitUntil(ready(again), 'npm start to be ready again')
  expectThat((await readToken(token)) === latest, 'connections and the API key persist after a restart')
  expectThat((await readToken(parseCurlLine(output, /refresh"/))) !== latest, 'the connection can still be refreshed')
  await expectEnd(() => again.child.kill('SIGTERM'), again, port, 'a signal to npm alone')
}

const smokeWranglerDev = async () => {
  const port = await findFreePort()
  const origin = `http://127.0.0.1:${port}`
  const engine = await startDynamoDb()
  const credentials = { accessKeyId: 'SMOKE', secretAccessKey: 'smoke-secret' }
  await createTable(new DynamoDBClient({ endpoint: engine.url, region: 'eu-west-1', credentials }), 'smoke')
  const redirectUri = `http://localhost:${port}/oauth/callback`
  const app = { clientId: 'smoke-id', clientSecret: 'smoke-client-secret' }
  const intuit = await startIntuit({ apps: [{ environment: 'production', ...app, redirectUris: [redirectUri] }] })
  const vars = {
    API_KEY: 'smoke-key',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    DYNAMODB_TABLE: 'smoke',
    DYNAMODB_ENDPOINT: engine.url,
    QUICKBOOKS_CLIENT_ID: app.clientId,
    QUICKBOOKS_CLIENT_SECRET: app.clientSecret,
    QUICKBOOKS_REDIRECT_URI: redirectUri,
    INTUIT_AUTHORIZATION_ENDPOINT: `${intuit.url}/connect/oauth2`,
    INTUIT_TOKEN_ENDPOINT: `${intuit.url}/oauth2/v1/tokens/bearer`,
  }
  const flags = Object.entries(vars).flatMap(([name, value]) => ['--var', `${name}:${value}`])
  const offline = { CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false', CI: '1' }
  const worker = run('wrangler', ['dev', '--ip', '127.0.0.1', '--port', String(port), ...flags], offline)
  await waitUntil(() => isHealthy(origin), 'wrangler dev to answer')
  await connect(`${origin}/oauth/start/beach-blend`)
  const api =
    (path: string, method = 'GET') =>
    () =>
      fetch(`${origin}${path}`, { method, headers: { 'X-API-Key': vars.API_KEY } })
  await useService(
    api('/api/token/beach-blend'),
    api('/api/token/beach-blend/refresh', 'POST'),
    api('/api/connections/beach-blend'),
  )
  signalGroup(worker.child, 'SIGINT')
  await worker.ended
  await Promise.all([intuit.close(), engine.close()])
}

const smoke = async () => {
  takeNoArguments(HELP)
  clearAwsSettings()
  const folder = await mkdtemp(join(tmpdir(), 'broker-smoke-'))
  print('npm start')
  await smokeStart(folder)
  print('wrangler dev --var')
  await smokeWranglerDev()
  await Promise.all([folder, `${folder}-other`].map((path) => rm(path, { recursive: true, force: true })))
  print('The smoke run passed.')
}

smoke().then(
  () => process.exit(0),
  (error: unknown) => fail(error instanceof Error ? error.message : 'The smoke run failed.'),
)
