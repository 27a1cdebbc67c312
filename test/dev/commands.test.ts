import { mkdtempSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAdminClient as tableClient } from '../../dev/admin-client.ts'
import { type Engine, startDynamoDb } from '../../dev/dynamodb.ts'
import { closeServer, listen } from '../../dev/listen.ts'
import { loadLocalSecrets } from '../../dev/secrets.ts'
import { createTable } from '../../dev/table.ts'
import { adminClient } from '../support/engine.ts'
import { runCommand as run } from './run-command.ts'

const newFolder = () => mkdtempSync(join(tmpdir(), 'broker-'))

describe('npm start', () => {
  it.each(['0', '65536', 'abc', '80 80', '-1'])('rejects PORT=%s with a message', async (PORT) => {
    const { code, output } = await run('start.ts', { PORT, BROKER_DATA_DIR: newFolder() })
    expect({ code, output }).toEqual({ code: 1, output: 'PORT must be a number from 1 to 65535.\n' })
  })

  it('reports a busy port before it starts or writes anything', async () => {
    const server = createServer()
    const port = await listen(server)
    const folder = join(newFolder(), 'data')
    const { code, output } = await run('start.ts', { PORT: String(port), BROKER_DATA_DIR: folder })
    await closeServer(server)
    expect(code).toBe(1)
    expect(output).toBe(`Port ${port} is busy. Choose another: PORT=${port + 1} npm start\n`)
    expect(() => statSync(folder)).toThrow()
  })

  it('creates its secrets once, readable by their owner only', () => {
    const folder = newFolder()
    const secrets = loadLocalSecrets(folder)
    expect(loadLocalSecrets(folder)).toEqual(secrets)
    expect(loadLocalSecrets(newFolder()).apiKey).not.toBe(secrets.apiKey)
    expect(statSync(join(folder, 'secrets.json')).mode & 0o777).toBe(0o600)
  })
})

const COMMANDS = [
  ...['start.ts', 'smoke.ts', 'table-create.ts', 'bundle-check.ts', 'test-browser.ts', 'audit.ts'],
  ...['openapi.ts', 'docs-viewer.ts'],
]
describe.each(COMMANDS)('%s', (script) => {
  it('has --help and rejects unknown arguments', async () => {
    const help = await run(script, {}, ['--help'])
    expect(help.code).toBe(0)
    expect(help.output).toMatch(/^npm (start|run )/)
    const unknown = await run(script, {}, ['--everything'])
    expect(unknown).toEqual({ code: 1, output: 'Unknown argument --everything. See --help.\n' })
  })
})

describe.each(['start-link.ts', 'fuzz.ts'])('%s', (script) => {
  it('has --help and rejects unknown options', async () => {
    expect(await run(script, {}, ['--help'])).toMatchObject({ code: 0, output: expect.stringMatching(/^npm run /) })
    const unknown = await run(script, {}, ['--everything'])
    expect(unknown).toEqual({ code: 1, output: "Unknown option '--everything'. See --help.\n" })
  })
})

describe('npm run start-link', () => {
  const given = ['--company-key', 'beach-blend']
  const env = {
    START_LINK_KEYS: `a:${Buffer.alloc(32, 7).toString('base64')}`,
    QUICKBOOKS_REDIRECT_URI: 'https://broker.ticosync.com/oauth/callback',
  }

  it.each([
    [[...given, '--expires-in', '0'], /^--expires-in must be \d+ to \d+ seconds\.\n$/],
    [[...given, '--expires-in=-60'], /^--expires-in must be \d+ to \d+ seconds\.\n$/],
    [[...given, '--expires-in', '-60'], /^Option '--expires-in' argument is ambiguous/],
    [[...given, '--expires-in', '1e9'], /^--expires-in must be \d+ to \d+ seconds\.\n$/],
    [[...given, '--expires-in', '999999999'], /^--expires-in must be \d+ to \d+ seconds\.\n$/],
    [[...given, '--expires-in', '2027-01-31'], /^--expires-in must be \d+ to \d+ seconds\.\n$/],
    [[...given, '--expires-in'], /^Option '--expires-in <value>' argument missing\. See --help\.\n$/],
    [[...given, '--company-key', 'other'], /^--company-key is given twice\. See --help\.\n$/],
    [['--company-key', ''], /^--company-key has an empty value\. See --help\.\n$/],
    [['--company-key', 'a b'], /company key/],
    [[...given, 'more'], /^Unexpected argument 'more'/],
  ])('refuses %j in words', async (args, words) => {
    const { code, output } = await run('start-link.ts', env, args)
    expect(code).toBe(1)
    expect(output).toMatch(words)
    expect(output).not.toMatch(/https:| {4}at /)
  })
})

describe('npm run table:create', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await startDynamoDb()
  })
  afterAll(() => engine.close())
  const env = (over: Record<string, string> = {}) => ({
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'a-marked-secret',
    DYNAMODB_TABLE: 'by-command',
    DYNAMODB_ENDPOINT: engine.url,
    ...over,
  })

  it('creates the table, and finds it the next time', async () => {
    expect(await run('table-create.ts', env())).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^Created the table/),
    })
    expect(await run('table-create.ts', env())).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^Found the table/),
    })
  })

  it('uses the endpoint of the Worker, whatever AWS settings the machine has', async () => {
    const machine = {
      ...{ AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true', AWS_PROFILE: 'nobody' },
      ...{ AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9' },
    }
    expect(await run('table-create.ts', env(machine))).toMatchObject({ code: 0 })
    const regional = tableClient({ AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' })
    expect((await regional.config.endpoint?.())?.hostname).toBe('dynamodb.eu-west-1.amazonaws.com')
    regional.destroy()
  })

  it('names all missing variables at once', async () => {
    const { code, output } = await run('table-create.ts', { AWS_REGION: 'us-east-1' })
    expect(code).toBe(1)
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'DYNAMODB_TABLE']) expect(output).toContain(name)
    expect(output).not.toContain('AWS_REGION')
  })

  it('reports an engine that cannot be reached, without a secret', async () => {
    const { code, output } = await run('table-create.ts', env({ DYNAMODB_ENDPOINT: 'http://127.0.0.1:9' }))
    expect(code).toBe(1)
    expect(output).not.toContain('a-marked-secret')
  })

  it('rejects a table with another key', async () => {
    const client = adminClient(engine.url)
    await client.send(
      new CreateTableCommand({
        TableName: 'another',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    )
    await expect(createTable(client, 'another')).rejects.toThrow('partition key pk (S)')
  })
})
