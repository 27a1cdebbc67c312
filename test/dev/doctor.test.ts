import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CreateTableCommand, type CreateTableCommandInput, ScanCommand } from '@aws-sdk/client-dynamodb'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Check } from '../../dev/doctor/check.ts'
import { checkConfiguration } from '../../dev/doctor/configuration.ts'
import { diagnose } from '../../dev/doctor/diagnose.ts'
import { isPlaceholder } from '../../dev/doctor/placeholders.ts'
import type { ListSecrets } from '../../dev/doctor/worker-secrets.ts'
import { type Engine, startDynamoDb } from '../../dev/dynamodb.ts'
import type { Variables } from '../../dev/environment.ts'
import { createTable } from '../../dev/table.ts'
import { createTableDefinition } from '../../dev/table-definition.ts'
import { listVariableNames, readConfig } from '../../src/config/config.ts'
import { adminClient, realRuntime } from '../support/engine.ts'
import { type EngineProxy, startEngineProxy } from '../support/engine-proxy.ts'

const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString('base64')
const MARKED = 'a-marked-secret'

let engine: Engine
let proxy: EngineProxy
beforeAll(async () => {
  engine = await startDynamoDb()
  proxy = await startEngineProxy(engine.url)
  await createTable(adminClient(engine.url), 'connections')
})
afterEach(() => proxy.heal())
afterAll(async () => {
  await proxy.close()
  await engine.close()
})

const whole = (): Variables => ({
  API_KEY: `${MARKED}-of-thirty-two-characters-or-more`,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: MARKED,
  DYNAMODB_TABLE: 'connections',
  DYNAMODB_ENDPOINT: proxy.url,
  DYNAMODB_FLEET_INDEX: 'fleet',
  QUICKBOOKS_CLIENT_ID: 'production-id',
  QUICKBOOKS_CLIENT_SECRET: MARKED,
  QUICKBOOKS_SANDBOX_CLIENT_ID: 'sandbox-id',
  QUICKBOOKS_SANDBOX_CLIENT_SECRET: MARKED,
  QUICKBOOKS_REDIRECT_URI: 'https://broker.example/oauth/callback',
  TOKEN_ENCRYPTION_KEYS: `2026-01:${ENCRYPTION_KEY}`,
  START_LINKS: 'signed',
  START_LINK_KEYS: `2026-01:${ENCRYPTION_KEY}`,
  API_KEY_IN_QUERY: 'false',
  QUICKBOOKS_SCOPES: 'com.intuit.quickbooks.accounting openid',
})

interface SetUp {
  variables?: Record<string, unknown>
  now?: () => number
  listSecrets?: ListSecrets
}
const everySecret: ListSecrets = async () => Object.keys(whole())
const examine = async ({ variables = {}, now = realRuntime.now, listSecrets = everySecret }: SetUp = {}) => {
  const checks = await diagnose({
    env: { ...whole(), ...variables },
    plain: [],
    client: adminClient(proxy.url),
    runtime: { ...realRuntime, now },
    listSecrets,
  })
  expect(JSON.stringify(checks)).not.toContain(MARKED)
  expect(JSON.stringify(checks)).not.toContain(ENCRYPTION_KEY)
  return checks
}
const named = (checks: Check[], status: Check['status']) =>
  checks.filter((check) => check.status === status).map(({ check }) => check)
const found = (checks: Check[], name: string) => checks.find(({ check }) => check === name)

/** The embedded engine supports neither, and no deletion protection. */
const NOT_OF_THIS_ENGINE = ['expiry (TTL)', 'point-in-time backup']

const describesTtl = (status: string, name = 'expires_at') =>
  proxy.fault({
    kind: 'answer',
    operation: 'DescribeTimeToLive',
    status: 200,
    body: JSON.stringify({ TimeToLiveDescription: { TimeToLiveStatus: status, AttributeName: name } }),
  })
const describesBackups = (status: string) =>
  proxy.fault({
    kind: 'answer',
    operation: 'DescribeContinuousBackups',
    status: 200,
    body: JSON.stringify({
      ContinuousBackupsDescription: {
        ContinuousBackupsStatus: 'ENABLED',
        PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: status },
      },
    }),
  })
const makeTable = async (name: string, change: Partial<CreateTableCommandInput>) => {
  await adminClient(engine.url).send(new CreateTableCommand({ ...createTableDefinition(name), ...change }))
  return { DYNAMODB_TABLE: name }
}

describe('the doctor', () => {
  it('finds no fault in a complete set-up', async () => {
    describesTtl('ENABLED')
    describesBackups('ENABLED')
    const checks = await examine()
    expect({ fail: named(checks, 'fail'), skip: named(checks, 'skip'), warn: named(checks, 'warn') }).toEqual({
      fail: [],
      skip: [],
      // The embedded engine has no deletion protection.
      warn: ['deletion protection'],
    })
  })

  it('names what an engine does not support, and does not count it as a failure', async () => {
    proxy.fault({ kind: 'error', operation: 'DescribeTimeToLive', status: 400, type: 'UnknownOperationException' })
    expect(named(await examine(), 'skip')).toEqual(NOT_OF_THIS_ENGINE)
  })

  it('accepts named API keys instead of API_KEY', async () => {
    const key = { name: 'reports', sha256: 'a'.repeat(64), may: ['token:read'], companies: ['*'] }
    const checks = await examine({
      variables: { API_KEY: undefined, API_KEYS: JSON.stringify([key]) },
      listSecrets: async () => undefined,
    })
    expect(found(checks, 'API key')).toMatchObject({ status: 'ok', detail: 'API_KEYS set' })
  })

  const broken: [string, () => Promise<SetUp> | SetUp, string, RegExp][] = [
    ['without any API key', () => ({ variables: { API_KEY: undefined } }), 'API key', /neither API_KEY nor API_KEYS/],
    [
      'with an unknown permission of a named key',
      () => ({
        variables: {
          API_KEYS: JSON.stringify([{ name: 'a', sha256: 'a'.repeat(64), may: ['all'], companies: ['*'] }]),
        },
        listSecrets: async () => undefined,
      }),
      'API key',
      /^API_KEYS\.0\.may/,
    ],
    [
      'with a placeholder',
      () => ({ variables: { QUICKBOOKS_CLIENT_ID: 'changeme' } }),
      'values',
      /QUICKBOOKS_CLIENT_ID/,
    ],
    [
      'with a quoted value',
      () => ({ variables: { DYNAMODB_FLEET_INDEX: 'fleet', API_KEY: `"${'k'.repeat(40)}"` } }),
      'values',
      /^API_KEY has quotes/,
    ],
    [
      'with a redirect URI of http',
      () => ({ variables: { QUICKBOOKS_REDIRECT_URI: 'http://broker.example/oauth/callback' } }),
      'redirect URI',
      /not https/,
    ],
    [
      'with a redirect URI that has a query',
      () => ({ variables: { QUICKBOOKS_REDIRECT_URI: 'https://broker.example/oauth/callback?a=1' } }),
      'redirect URI',
      /query/,
    ],
    [
      'with a redirect URI of another path',
      () => ({ variables: { QUICKBOOKS_REDIRECT_URI: 'https://broker.example/callback' } }),
      'redirect URI',
      /leads to \/callback/,
    ],
    [
      'with one half of the production credentials',
      () => ({ variables: { QUICKBOOKS_CLIENT_SECRET: '' } }),
      'production keys',
      /QUICKBOOKS_CLIENT_SECRET is missing/,
    ],
    [
      'with one half of the sandbox credentials',
      () => ({ variables: { QUICKBOOKS_SANDBOX_CLIENT_ID: '' } }),
      'sandbox keys',
      /QUICKBOOKS_SANDBOX_CLIENT_ID is missing/,
    ],
    [
      'with an encryption key that is too short',
      () => ({ variables: { TOKEN_ENCRYPTION_KEYS: `a:${ENCRYPTION_KEY},b:c2hvcnQ=` } }),
      'encryption keys',
      /entry 2/,
    ],
    [
      'with a duplicate encryption kid',
      () => ({ variables: { TOKEN_ENCRYPTION_KEYS: `a:${ENCRYPTION_KEY}, a:${ENCRYPTION_KEY}` } }),
      'encryption keys',
      /kid a twice/,
    ],
    [
      'with a margin that is not a number',
      () => ({ variables: { TOKEN_REFRESH_MARGIN_SECONDS: '5 minutes' } }),
      'other settings',
      /TOKEN_REFRESH_MARGIN_SECONDS/,
    ],
    [
      'without a region',
      () => ({ variables: { AWS_REGION: undefined } }),
      'table and credentials',
      /AWS_REGION is missing/,
    ],
    [
      'with a temporary key and no session token',
      () => ({ variables: { AWS_ACCESS_KEY_ID: 'ASIAEXAMPLE' } }),
      'table and credentials',
      /AWS_SESSION_TOKEN is not set/,
    ],
    [
      'with a table over plain http on another machine',
      () => ({ variables: { DYNAMODB_ENDPOINT: 'http://dynamodb.example' } }),
      'table and credentials',
      /http on another machine/,
    ],
    [
      'with a clock that is ten minutes ahead',
      () => ({ now: () => Date.now() + 600_000 }),
      'clock',
      /600 s ahead|599 s ahead|601 s ahead/,
    ],
    [
      'with another name for the index',
      () => ({ variables: { DYNAMODB_FLEET_INDEX: 'flotilla' } }),
      'listing',
      /flotilla/,
    ],
    [
      'with a secret that is missing on the Worker',
      () => ({ listSecrets: async () => (await everySecret())?.filter((name) => name !== 'AWS_REGION') }),
      'secrets on the Worker',
      /lacks AWS_REGION$/,
    ],
    [
      'with wrangler logged in to another account',
      () => ({ listSecrets: async () => [] }),
      'secrets on the Worker',
      /has none/,
    ],
    [
      'with an expiry by another attribute',
      () => {
        describesTtl('ENABLED', 'ttl')
        return {}
      },
      'expiry (TTL)',
      /by ttl/,
    ],
    [
      'with an access key that is unknown to AWS',
      () => {
        proxy.fault({ kind: 'error', operation: 'GetItem', status: 400, type: 'UnrecognizedClientException' })
        return {}
      },
      'signed request',
      /AWS_ACCESS_KEY_ID/,
    ],
    [
      'with a wrong secret key',
      () => {
        proxy.fault({ kind: 'error', operation: 'GetItem', status: 400, type: 'InvalidSignatureException' })
        return {}
      },
      'signed request',
      /AWS_SECRET_ACCESS_KEY/,
    ],
    [
      'without the permission to read',
      () => {
        proxy.fault({ kind: 'error', operation: 'GetItem', status: 400, type: 'AccessDeniedException' })
        return {}
      },
      'signed request',
      /may not use/,
    ],
    [
      'without the permission to query the index',
      () => {
        proxy.fault({ kind: 'error', operation: 'Query', status: 400, type: 'AccessDeniedException' })
        return {}
      },
      'listing',
      /may not use/,
    ],
    [
      'with the index of another service',
      async () => ({
        variables: await makeTable('other-index', {
          GlobalSecondaryIndexes: [
            {
              IndexName: 'fleet',
              KeySchema: [
                { AttributeName: 'fleet_shard', KeyType: 'HASH' },
                { AttributeName: 'dies_at', KeyType: 'RANGE' },
              ],
              Projection: { ProjectionType: 'ALL' },
            },
          ],
        }),
      }),
      'fleet index',
      /another key or other attributes/,
    ],
  ]
  it.each(broken)('reports only that fault of a set-up %s', async (_, setUp, check, detail) => {
    const prepared = await setUp()
    describesTtl('ENABLED')
    const checks = await examine(prepared)
    expect(named(checks, 'fail')).toEqual([check])
    expect(found(checks, check)?.detail).toMatch(detail)
    expect(found(checks, check)?.todo).toMatch(/\w/)
  })

  it('reports both checks that fail for a missing table, and for a table with another key', async () => {
    const missing = await examine({ variables: { DYNAMODB_TABLE: 'nowhere' } })
    expect(named(missing, 'fail')).toEqual(['signed request', 'table'])
    expect(found(missing, 'signed request')?.todo).toContain('Create the table')
    const foreign = await makeTable('foreign-key', {
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: undefined,
    })
    describesTtl('ENABLED')
    const keyed = await examine({ variables: foreign })
    expect(named(keyed, 'fail')).toEqual(['signed request', 'table key'])
    expect(found(keyed, 'signed request')?.todo).toContain('partition key pk (S)')
  })

  it('reports a table that cannot be reached, and sends no further requests', async () => {
    const checks = await examine({ variables: { DYNAMODB_ENDPOINT: 'http://127.0.0.1:9' } })
    expect(named(checks, 'fail')).toEqual(['signed request'])
    expect(found(checks, 'clock')?.status).toBe('skip')
    expect(found(checks, 'table')).toBeUndefined()
  })

  it('warns of settings that work and are risky', async () => {
    describesTtl('ENABLED')
    describesBackups('DISABLED')
    const checks = await examine({
      variables: {
        API_KEY: 'short',
        AWS_SESSION_TOKEN: MARKED,
        QUICKBOOKS_REDIRECT_URI: 'http://localhost:8787/oauth/callback',
        QUICKBOOKS_CLIENT_ID: 'sandbox-id',
        TOKEN_ENCRYPTION_KEYS: undefined,
      },
      listSecrets: async () => [...Object.keys(whole()), 'AWS_SESSION_TOKEN'],
    })
    expect(named(checks, 'fail')).toEqual([])
    expect(named(checks, 'warn')).toEqual([
      'API key',
      'redirect URI',
      'production keys',
      'sandbox keys',
      'encryption keys',
      'plain tokens',
      'table and credentials',
      'point-in-time backup',
      'deletion protection',
    ])
  })

  it('skips, with a line, the checks that the Worker’s own key must not make', async () => {
    for (const operation of ['DescribeTable', 'DescribeTimeToLive', 'DescribeContinuousBackups']) {
      proxy.fault({ kind: 'error', operation, status: 400, type: 'AccessDeniedException' })
    }
    const checks = await examine({ listSecrets: async () => undefined })
    expect(named(checks, 'fail')).toEqual([])
    expect(found(checks, 'table')).toMatchObject({ status: 'skip', todo: expect.stringContaining('--profile') })
    expect(found(checks, 'secrets on the Worker')).toMatchObject({
      status: 'skip',
      todo: expect.stringContaining('wrangler login'),
    })
  })

  it('only reads', async () => {
    const before = proxy.requests.length
    await examine()
    const operations = new Set(proxy.requests.slice(before).map(({ operation }) => operation))
    expect([...operations].filter((operation) => !/^(GetItem|Query|Describe\w+)$/.test(operation))).toEqual([])
    expect((await adminClient(engine.url).send(new ScanCommand({ TableName: 'connections' }))).Items).toEqual([])
  })
})

describe('a placeholder', () => {
  const docs = ['README.md', 'docs/deploy.md', 'docs/keys.md', 'docs/operations.md'].map((path) => ({
    path,
    text: readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8'),
  }))
  const names = listVariableNames(readConfig({}))

  /** Values of the guides that a deployment can use unchanged. All others are placeholders. */
  const REAL = new Set([
    ...['us-east-1', 'quickbooks-connections', 'quickbooks-restored', 'fleet', 'eu-central-1,ap-southeast-1'],
    ...['signed', 'open', 'required', 'true', 'false', '0', '30', '40', '900', 'eu-west-1,sa-east-1'],
  ])
  const settings = docs.flatMap(({ path, text }) =>
    [...text.matchAll(/\b([A-Z][A-Z0-9_]+)=("[^"]*"|[^\s`"')|]+)/g)].flatMap(([, name = '', value = '']) =>
      names.includes(name) ? [{ path, name, value: value.replace(/^"|"$|[.,:;]+$/g, '') }] : [],
    ),
  )

  it('of the guides is recognised in every variable', () => {
    expect(settings.length).toBeGreaterThan(15)
    const accepted = settings.filter(({ value }) => !REAL.has(value) && !value.startsWith('$') && !isPlaceholder(value))
    expect(accepted).toEqual([])
    expect([...REAL].filter(isPlaceholder)).toEqual([])
  })

  it('in angle brackets or in capitals is recognised, alone and within a value', () => {
    const marks = docs.flatMap(({ text }) =>
      [...text.matchAll(/<[a-z][^<>\n]*>|\bYOUR-[A-Z]+|arn:aws:dynamodb:REGION:\S+|[^\s`"]*…/g)].map(([mark]) => mark),
    )
    expect(marks.length).toBeGreaterThan(5)
    expect(
      marks.filter(
        (mark) => !/^<(br|img|kbd)/.test(mark) && !isPlaceholder(mark.replace(/^arn.*?:REGION.*/, 'REGION')),
      ),
    ).toEqual([])
  })

  it.each(names)('is named in %s', (name) => {
    for (const value of ['…', '...', '<your value>', 'changeme', 'CHANGE_ME', 'your-value-here', 'xxxx', 'TODO']) {
      const [values] = checkConfiguration({ ...whole(), [name]: value }, { ...whole(), [name]: value })
      expect({ value, ...values }).toMatchObject({ value, check: 'values', status: 'fail' })
      expect(values?.detail).toContain(`${name} is a placeholder`)
    }
  })

  it.each([
    ...[
      'https://YOUR-HOST/oauth/callback',
      'https://<your host>/oauth/callback',
      'https://broker.example.com/oauth/callback',
    ],
    ...[
      '2026-01:…',
      '2027-01:…,2026-01:…',
      'kid:base64(32 bytes)',
      'REGION',
      'ACCOUNT',
      'TABLE',
      '"…"',
      ' … ',
      'replace-me',
    ],
  ])('is what %s is', (value) => {
    expect(isPlaceholder(value)).toBe(true)
  })

  it('is not found in the values of a working set-up', () => {
    const good = fc.sample(fc.base64String({ minLength: 40, maxLength: 44 }), { seed: 7, numRuns: 500 })
    const urls = [
      'https://broker.ticosync.com/oauth/callback',
      'https://example.community/x',
      'https://tokens.yourhost.io',
    ]
    for (const value of [...Object.values(whole()), ...urls, ...good, 'table-1', 'your', 'AKIAIOSFODNN7EXAMPLE']) {
      expect({ value, isPlaceholder: isPlaceholder(value ?? '') }).toEqual({ value, isPlaceholder: false })
    }
  })
})

const run = (args: string[], variables: Variables, content?: string | Uint8Array) =>
  new Promise<{ code: number | null; output: string }>((resolve) => {
    const file = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'some.vars')
    const lines = Object.entries(variables).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    )
    writeFileSync(file, content ?? lines.join('\n'))
    const env = { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), AWS_REGION: 'of-the-shell' }
    const vars = args.includes('--vars') ? [] : ['--vars', file]
    const child = spawn(process.execPath, ['dev/doctor.ts', '--local', ...vars, ...args], { env })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('close', (code) => resolve({ code, output }))
  })

describe('npm run doctor', () => {
  it('prints one line for each check and what to do, and exits with 0 if no check fails', async () => {
    const { code, output } = await run([], whole())
    expect(code).toBe(0)
    expect(output).toMatch(/^ok {4}API key {15}API_KEY set$/m)
    expect(output).toMatch(/^ok {4}signed request/m)
    expect(output).toMatch(/^warn {2}deletion protection .*\n +→ aws dynamodb update-table/m)
    expect(output).toMatch(/\d+ ok, \d+ warnings, 0 failed, \d+ skipped\n$/)
    expect(output).not.toContain(MARKED)
    expect(output).not.toContain(ENCRYPTION_KEY)
  })

  it('exits with 1 if a check fails, and prints JSON with --json', async () => {
    const { code, output } = await run(['--json'], { ...whole(), API_KEY: '', QUICKBOOKS_REDIRECT_URI: 'nonsense' })
    expect(code).toBe(1)
    const { ok, checks } = JSON.parse(output)
    expect({ ok, fail: named(checks, 'fail') }).toEqual({ ok: false, fail: ['API key', 'redirect URI'] })
  })

  it('has --help and rejects unknown options', async () => {
    const help = await run(['--help'], {})
    expect(help.code).toBe(0)
    expect(help.output).toMatch(/^npm run doctor: /)
    expect(await run(['--everything'], {})).toEqual({ code: 1, output: "Unknown option '--everything'. See --help.\n" })
  })

  it('accepts a file with a byte-order mark, and names a file that it cannot read', async () => {
    const { output } = await run(['--json'], {}, `\uFEFFAPI_KEY=${whole()['API_KEY']}\n`)
    expect(found(JSON.parse(output).checks, 'API key')).toMatchObject({ status: 'ok' })
    const foreign = await run([], {}, Buffer.from('\uFEFFAPI_KEY=a', 'utf16le'))
    expect(foreign).toEqual({ code: 1, output: expect.stringMatching(/some\.vars is UTF-16\. Save it as UTF-8\.\n$/) })
    expect(await run(['--vars', tmpdir()], {})).toEqual({ code: 1, output: `${tmpdir()} is a folder.\n` })
  })

  it('reports a missing file', async () => {
    const { code, output } = await run(['--vars', '/nowhere/some.vars'], whole())
    expect({ code, output }).toEqual({ code: 1, output: 'There is no file /nowhere/some.vars.\n' })
  })
})
