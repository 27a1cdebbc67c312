import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CreateTableCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb'
import { afterEach, describe, expect, it } from 'vitest'
import { startDynamoDb } from '../../dev/dynamodb.ts'
import { lockFolder } from '../../dev/folder-lock.ts'
import { closeServer, listen } from '../../dev/listen.ts'
import { startCron } from '../../dev/local-cron.ts'
import { loadLocalSecrets } from '../../dev/secrets.ts'
import { createTableDefinition } from '../../dev/table-definition.ts'
import { adminClient } from '../support/engine.ts'
import { runCommand as run } from './run-command.ts'

/** Finds a free port. */
const freePort = async (): Promise<number> => {
  const server = createServer()
  const port = await listen(server)
  await closeServer(server)
  return port
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const newFolder = () => mkdtempSync(join(tmpdir(), 'broker-'))
const WAIT = { timeout: 20_000, interval: 50 }

const started: ChildProcess[] = []
afterEach(() => {
  for (const { pid } of started.splice(0)) {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    } catch {
      // The group has ended.
    }
  }
})

/** Starts a process in its own group, so that the whole group can be ended. */
const begin = (args: string[], env: Record<string, string> = {}, cwd = root) => {
  const clean = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }
  const child = spawn(process.execPath, args, { cwd, env: { ...clean, ...env }, detached: true })
  started.push(child)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, ended, output: () => output }
}
const ready = async ({ output }: ReturnType<typeof begin>) =>
  expect.poll(output, { timeout: 60_000, interval: 50 }).toContain('Ready on')

describe('the port of npm start', () => {
  it.each(['::1', '::', '127.0.0.1', '0.0.0.0'])('is rejected if another program listens on %s', async (host) => {
    const server = createServer()
    const port = await listen(server, 0, host)
    const folder = join(newFolder(), 'data')
    const { code, output } = await run('start.ts', { PORT: String(port), BROKER_DATA_DIR: folder })
    await closeServer(server)
    expect({ code, output }).toEqual({
      code: 1,
      output: expect.stringMatching(
        host === '::1'
          ? new RegExp(`^Port ${port} is busy: another program listens on \\[::1\\].*PORT=${port + 1} npm start\n$`)
          : new RegExp(`^Port ${port} is busy. Choose another: PORT=${port + 1} npm start\n$`),
      ),
    })
    expect(existsSync(folder)).toBe(false)
  })

  it('is reported as used by a broker if one answers there, such as the workerd process of a killed npm start', async () => {
    const server = createServer((_, response) => response.end('{"status":"ok"}'))
    const port = await listen(server)
    const { code, output } = await run('start.ts', { PORT: String(port), BROKER_DATA_DIR: newFolder() })
    await closeServer(server)
    expect({ code, output }).toEqual({
      code: 1,
      output: expect.stringContaining(`Port ${port} is busy: a broker answers there.`),
    })
  })

  it('is suggested within the valid range', async () => {
    const server = createServer()
    await listen(server, 65_535).catch(() => undefined)
    const { code, output } = await run('start.ts', { PORT: '65535', BROKER_DATA_DIR: newFolder() })
    await closeServer(server)
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('PORT=65534 npm start') })
  })
})

describe('the lock of a data folder', () => {
  /** A process that holds the lock of a folder. */
  const hold = async (folder: string, platform: string) => {
    const script = `import { lockFolder } from './dev/folder-lock.ts'
      console.log(await lockFolder(process.argv[1], process.argv[2])); setInterval(() => undefined, 1000)`
    const holder = begin(['--input-type=module-typescript', '--eval', script, folder, platform])
    await expect.poll(holder.output, WAIT).toContain('true')
    return holder
  }

  it.each(['linux', 'darwin'] as const)(
    'is held while its process runs, and released when it is killed (%s)',
    async (platform) => {
      const folder = newFolder()
      const holder = await hold(folder, platform)
      expect(await lockFolder(folder, platform)).toBe(false)
      holder.child.kill('SIGKILL')
      await holder.ended
      expect(await lockFolder(folder, platform)).toBe(true)
    },
  )

  it('does not depend on a stored process id, of a running process or an ended one', async () => {
    for (const pid of [process.pid, process.ppid, 1, 4_194_303]) {
      const folder = newFolder()
      writeFileSync(join(folder, 'running.pid'), String(pid))
      expect(await lockFolder(folder)).toBe(true)
    }
  })

  it('is the same for every path of a folder', async () => {
    const folder = newFolder()
    expect(await lockFolder(folder)).toBe(true)
    expect(await lockFolder(`${folder}/../${folder.split('/').at(-1)}`)).toBe(false)
    expect(await lockFolder(newFolder())).toBe(true)
  })
})

describe('the secrets of a data folder', () => {
  const MARKED = 'a-marked-secret'

  const damaged: [string, (whole: string) => string, RegExp][] = [
    ['empty', () => '', /is empty/],
    ['cut short', (whole) => whole.slice(0, 40), /is not JSON/],
    ['text', () => MARKED, /is not JSON/],
    ['a list', () => `["${MARKED}"]`, /is missing|is not/],
    ['null', () => 'null', /is not a JSON object/],
    ['a number for a text', (whole) => JSON.stringify({ ...JSON.parse(whole), apiKey: 7 }), /apiKey is not text/],
    ['an empty text', (whole) => JSON.stringify({ ...JSON.parse(whole), apiKey: '' }), /apiKey is empty/],
    ['a line end', (whole) => JSON.stringify({ ...JSON.parse(whole), apiKey: `${MARKED}\n` }), /apiKey/],
    ['without the sandbox', (whole) => JSON.stringify({ ...JSON.parse(whole), sandbox: undefined }), /sandbox/],
    [
      'one half of the credentials',
      (whole) => JSON.stringify({ ...JSON.parse(whole), production: { clientId: MARKED } }),
      /production\.clientSecret is missing/,
    ],
    [
      'an invalid encryption key',
      (whole) => JSON.stringify({ ...JSON.parse(whole), tokenEncryptionKeys: MARKED }),
      /tokenEncryptionKeys is not kid:base64/,
    ],
  ]
  it.each(damaged)('names the file and its damage: %s', async (_, damage, words) => {
    const folder = newFolder()
    loadLocalSecrets(folder)
    const path = join(folder, 'secrets.json')
    const whole = readFileSync(path, 'utf8')
    writeFileSync(path, damage(whole))
    const env = { PORT: String(await freePort()), BROKER_DATA_DIR: folder }
    const { code, output } = await run('start.ts', env)
    expect(code).toBe(1)
    expect(output).toContain(`${path} `)
    expect(output).toMatch(words)
    expect(output).toContain(`remove ${folder} to start over`)
    expect(output).not.toMatch(new RegExp(`${MARKED}|${JSON.parse(whole).apiKey}|    at `))
  })

  it('reports a folder in the place of the file, and a file in the place of the folder', async () => {
    const folder = newFolder()
    mkdirSync(join(folder, 'secrets.json'))
    expect(() => loadLocalSecrets(folder)).toThrow(`${join(folder, 'secrets.json')} is a folder`)
    const file = join(newFolder(), 'file')
    writeFileSync(file, '')
    expect(() => loadLocalSecrets(file)).toThrow(`${file} cannot be written to`)
  })

  it('accepts a byte-order mark, and makes the file readable by its owner only', () => {
    const folder = newFolder()
    const secrets = loadLocalSecrets(folder)
    const path = join(folder, 'secrets.json')
    writeFileSync(path, `\uFEFF${readFileSync(path, 'utf8')}`)
    chmodSync(path, 0o666)
    expect(loadLocalSecrets(folder)).toEqual(secrets)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })
})

describe('the Node that runs npm start', () => {
  const REQUIRE = ['--import', './dev/require-node.js']

  it('is reported as too old if the bundled one is not installed', async () => {
    const old = begin(['--no-strip-types', ...REQUIRE, 'dev/start.ts'])
    expect(await old.ended).toBe(1)
    expect(old.output()).toMatch(/^This is Node [\d.]+, which cannot run the TypeScript of these scripts\./)
    expect(old.output()).toContain('ignore-scripts=true and NODE_ENV=production')
    expect(old.output()).toContain('Run: npm install --include=dev --ignore-scripts=false')
    expect(old.output()).not.toContain('    at ')
  })

  it('names the package that is not installed, and what to do', async () => {
    const folder = newFolder()
    for (const name of ['dev', 'src', 'package.json']) cpSync(join(root, name), join(folder, name), { recursive: true })
    const bare = begin([...REQUIRE, 'dev/start.ts'], {}, folder)
    expect(await bare.ended).toBe(1)
    expect(bare.output()).toMatch(/^The package \S+ is not installed: npm install has not run/)
    expect(bare.output()).not.toContain('    at ')
  })

  it('is checked by every script in TypeScript', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    for (const script of Object.values(scripts)) {
      if (String(script).startsWith('node '))
        expect(script).toMatch(/^node --import \.\/dev\/require-node\.js \S+\.ts( |$)/)
    }
  })
})

describe('the cron of npm start', () => {
  it('runs at once and then repeatedly, one run at a time, and continues after a failure', async () => {
    let [runs, atOnce, most, failures] = [0, 0, 0, 0]
    const cron = startCron(
      async () => {
        runs++
        most = Math.max(most, ++atOnce)
        await new Promise((resolve) => setTimeout(resolve, 5))
        atOnce--
        if (runs === 1) throw new Error('once')
      },
      () => failures++,
      1,
    )
    await expect.poll(() => runs, WAIT).toBeGreaterThan(3)
    await cron.close()
    expect({ most, failures }).toEqual({ most: 1, failures: 1 })
  })
})

describe('npm start', () => {
  /** AWS settings that a machine can have. Each of them once broke or diverted the local clients. */
  const MACHINE = {
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_USE_DUALSTACK_ENDPOINT: 'true',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9',
    AWS_PROFILE: 'nobody',
    AWS_REGION: 'mars-north-1',
    AWS_MAX_ATTEMPTS: 'many',
    AWS_RETRY_MODE: 'never',
    AWS_DEFAULTS_MODE: 'odd',
    AWS_SESSION_TOKEN: 'of-the-machine',
  }
  const startIn = async (folder: string, env: Record<string, string> = {}) => {
    const port = await freePort()
    const process = begin(['dev/start.ts'], { PORT: String(port), BROKER_DATA_DIR: folder, ...env })
    const get = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'X-API-Key': loadLocalSecrets(folder).apiKey } })
    return { ...process, get }
  }

  it('starts whatever AWS settings the machine has, counts in its cron, and locks its folder', async () => {
    const folder = newFolder()
    const homeFolder = newFolder()
    mkdirSync(join(homeFolder, '.aws'))
    writeFileSync(join(homeFolder, '.aws', 'config'), '[default]\nuse_fips_endpoint = true\nmax_attempts = many\n')
    writeFileSync(join(folder, 'running.pid'), String(process.pid))
    const first = await startIn(folder, { ...MACHINE, HOME: homeFolder, DYNAMODB_FLEET_INDEX: 'fleet' })
    await ready(first)
    await expect.poll(async () => (await first.get('/api/connections/summary')).status, WAIT).toBe(200)
    expect(await (await first.get('/api/connections/summary')).json()).toMatchObject({ total: 0 })

    const second = await startIn(folder)
    expect(await second.ended).toBe(1)
    expect(second.output()).toBe(`Another npm start is using ${folder}. End it, or set BROKER_DATA_DIR.\n`)

    first.child.kill('SIGKILL')
    await first.ended
    const third = await startIn(folder)
    await ready(third)
    third.child.kill('SIGINT')
    await third.ended
  }, 120_000)

  it.each(['absent', 'of an earlier version'])(
    'warns that the table of an older folder lacks the index (index %s)',
    async (kind) => {
      const folder = newFolder()
      const engine = await startDynamoDb({ path: join(folder, 'dynamodb') })
      const { GlobalSecondaryIndexes: indexes, ...definition } = createTableDefinition('quickbooks-connections')
      const older = indexes.map((index) => ({ ...index, Projection: { ProjectionType: 'KEYS_ONLY' as const } }))
      const client = adminClient(engine.url)
      await client.send(
        new CreateTableCommand({
          ...definition,
          ...(kind === 'absent'
            ? { AttributeDefinitions: definition.AttributeDefinitions.slice(0, 1) }
            : { GlobalSecondaryIndexes: older }),
        }),
      )
      await waitUntilTableExists({ client, maxWaitTime: 20, minDelay: 1 }, { TableName: 'quickbooks-connections' })
      await engine.close()
      const service = await startIn(folder, { DYNAMODB_FLEET_INDEX: 'fleet' })
      await ready(service)
      expect(service.output()).toContain(
        `The table in ${join(folder, 'dynamodb')} is of an earlier version. It lacks the index fleet`,
      )
      expect(await (await service.get('/api/connections')).json()).toMatchObject({ path: '/api/connections' })
    },
    90_000,
  )

  it('rejects another index name', async () => {
    const env = { PORT: String(await freePort()), BROKER_DATA_DIR: join(newFolder(), 'data') }
    expect(await run('start.ts', { ...env, DYNAMODB_FLEET_INDEX: 'flotilla' })).toEqual({
      ...{ code: 1, output: 'DYNAMODB_FLEET_INDEX must be fleet, the index of the local table.\n' },
    })
  })
})
