import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkConfiguration } from '../../dev/doctor/configuration.ts'
import { type Engine, startDynamoDb } from '../../dev/dynamodb.ts'
import { createTable } from '../../dev/table.ts'
import { type LocalWorker, startWorker } from '../../dev/worker.ts'
import { findConfigurationFaults, listVariableNames, readConfig } from '../../src/config/config.ts'
import { readTextVariables } from '../../src/config/variables.ts'
import { testStorage } from '../support/engine.ts'
import { startService, tableAccess } from '../support/worker-harness.ts'

type Value = string | number | boolean | string[] | undefined
type Settings = Record<string, Value>

const KEY_BYTES = Buffer.alloc(32, 7).toString('base64')
const whole = (endpoint = 'http://127.0.0.1:9'): Record<string, string> => ({
  API_KEY: 'the-shared-key-of-thirty-two-characters',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'aws-secret',
  DYNAMODB_TABLE: 'connections',
  DYNAMODB_ENDPOINT: endpoint,
  QUICKBOOKS_CLIENT_ID: 'production-id',
  QUICKBOOKS_CLIENT_SECRET: 'production-secret',
  QUICKBOOKS_SANDBOX_CLIENT_ID: 'sandbox-id',
  QUICKBOOKS_SANDBOX_CLIENT_SECRET: 'sandbox-secret',
  QUICKBOOKS_REDIRECT_URI: 'https://broker.example/oauth/callback',
  TOKEN_ENCRYPTION_KEYS: `test:${KEY_BYTES}`,
})

/** A good value of each variable that a whole set-up does not need. */
const FURTHER: Record<string, string> = {
  API_KEYS: JSON.stringify([{ name: 'a', sha256: 'a'.repeat(64), may: ['token:read'], companies: ['*'] }]),
  API_KEY_IN_QUERY: 'false',
  AWS_SESSION_TOKEN: 'session-token',
  DYNAMODB_READ_REGIONS: 'eu-west-1',
  DYNAMODB_FLEET_INDEX: 'fleet',
  KEEP_ALIVE_DAYS: '7',
  KEEP_ALIVE_REFRESHES: '60',
  CRON_CALLS: '40',
  ALERT_WEBHOOK_URL: 'https://alerts.example/hook',
  ALERT_WEBHOOK_SECRET: `whsec_${KEY_BYTES}`,
  QUICKBOOKS_SCOPES: 'com.intuit.quickbooks.accounting openid',
  OAUTH_PKCE: 'true',
  INTUIT_ISSUER: 'https://intuit.example/op/v1',
  REALM_PROOF: 'when_present',
  START_LINKS: 'open',
  START_LINK_KEYS: `links:${KEY_BYTES}`,
  BIND_BROWSER: 'true',
  ONE_KEY_PER_REALM: 'true',
  REQUIRE_SEALED: 'false',
  TOKEN_REFRESH_MARGIN_SECONDS: '300',
  TOKEN_CACHE_SECONDS: '10',
  SUCCESS_REDIRECT_URL: 'https://books.example/connected',
  OAUTH_STATE_TTL_SECONDS: '600',
  INTUIT_AUTHORIZATION_ENDPOINT: 'https://intuit.example/connect',
  INTUIT_TOKEN_ENDPOINT: 'https://intuit.example/token',
  INTUIT_REVOCATION_ENDPOINT: 'https://intuit.example/revoke',
  REFRESH_LEASE_MS: '45000',
  REFRESH_DEADLINE_MS: '25000',
  REFRESH_WAIT_MS: '10000',
  DYNAMODB_TIMEOUT_MS: '4500',
  INTUIT_TIMEOUT_MS: '15000',
  CLOCK_SKEW_MS: '10000',
}
const GOOD = { ...whole(), ...FURTHER }

/** What comes with copying and pasting a value, and what is no text at all. */
const SPOIL: [string, (good: string) => Exclude<Value, undefined>][] = [
  ['a line end behind it', (good) => `${good}\n`],
  ['a carriage return behind it', (good) => `${good}\r`],
  ['a blank before it', (good) => ` ${good}`],
  ['a tab behind it', (good) => `${good}\t`],
  ['a no-break space behind it', (good) => `${good}\u00A0`],
  ['a byte-order mark before it', (good) => `\uFEFF${good}`],
  ['a line separator behind it', (good) => `${good}\u2028`],
  ['a line end within', (good) => `${good.slice(0, 1)}\n${good.slice(1)}`],
  ['a tab within', (good) => `${good.slice(0, 1)}\t${good.slice(1)}`],
  ['a NUL within', (good) => `${good.slice(0, 1)}\0${good.slice(1)}`],
  ['a DEL within', (good) => `${good.slice(0, 1)}\x7F${good.slice(1)}`],
  ['a C1 control character within', (good) => `${good.slice(0, 1)}\u0085${good.slice(1)}`],
  ['a zero-width space behind it', (good) => `${good}\u200B`],
  ['a letter that is not ASCII', (good) => `${good}é`],
  ['half a surrogate pair', (good) => `${good}\uD83D`],
  ['nothing but blanks', () => '  '],
  ['an array', (good) => [good]],
  ['a number that was rounded', () => 2 ** 70],
]

const findTexts = (env: Settings) => findConfigurationFaults(readConfig(env)).map(({ text }) => text)
/** What a value is without what spoils it; the words of our own texts tell nothing. */
const isShown = (said: string, value: Value) =>
  [value]
    .flat()
    .map((one) => String(one).trim())
    .some((text) => text.length > 3 && !/^(true|false)$/.test(text) && said.includes(text))

describe('every variable', () => {
  const names = listVariableNames(readConfig({}))

  it('is in a table of the documents, and in this test', () => {
    const table = ['docs/configuration.md', 'docs/testing.md'].map((path) => readFileSync(path, 'utf8')).join('\n')
    const rows = [...table.replace(/## Bindings[\s\S]*?\n# /, '# ').matchAll(/^\| (`[A-Z][^|]*)\|/gm)].map(
      ([, row = '']) => row,
    )
    const documented = rows.flatMap((row) => [...row.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name))
    expect(new Set(documented)).toEqual(new Set(names))
    expect(new Set(Object.keys(GOOD))).toEqual(new Set(names))
  })

  it('is right as this test has it', () => {
    expect(findTexts(GOOD)).toEqual([])
  })

  it.each(names)('%s is refused by its name, and not shown, with anything about it that does not belong', (name) => {
    for (const [what, spoil] of SPOIL) {
      const value = spoil(GOOD[name] ?? '')
      const env = { ...GOOD, [name]: value }
      const said = findTexts(env)
      expect(said, what).toEqual([expect.stringMatching(new RegExp(`^${name} `))])
      for (const part of Object.values(readConfig(env))) {
        if (part.names().includes(name)) expect(part, what).toThrow(name)
        else expect(part, what).not.toThrow()
      }
      const checks = checkConfiguration(env, readTextVariables(env))
      const failed = JSON.stringify(checks.filter(({ status }) => status === 'fail'))
      expect(failed, what).toContain(`${name} `)
      expect(isShown(said.join() + JSON.stringify(checks), value), what).toBe(false)
    }
  })

  it.each(names)('%s may be a boolean or a number that is its text', (name) => {
    for (const value of [false, true, 0, 7, 60, 1.5]) {
      expect(findTexts({ ...GOOD, [name]: value })).toEqual(findTexts({ ...GOOD, [name]: String(value) }))
    }
  })

  it.each(names)('%s is unset where it is empty', (name) => {
    expect(findTexts({ ...GOOD, [name]: '' })).toEqual(findTexts({ ...GOOD, [name]: undefined }))
  })
})

describe('a value that its use cannot carry', () => {
  const refused: [string, Value, RegExp][] = [
    ['API_KEY', 'two words', /visible ASCII/],
    ['AWS_SECRET_ACCESS_KEY', 'two words', /visible ASCII/],
    ['QUICKBOOKS_CLIENT_SECRET', 'two words', /visible ASCII/],
    ['QUICKBOOKS_REDIRECT_URI', 'https://broker.example/oauth/call back', /visible ASCII/],
    ['QUICKBOOKS_REDIRECT_URI', 'https://broker.example/oauth/callback#', /fragment/],
    ['QUICKBOOKS_REDIRECT_URI', 'http://127.evil.example/oauth/callback', /https/],
    ['QUICKBOOKS_REDIRECT_URI', 'https://:word@broker.example/oauth/callback', /user/],
    ['DYNAMODB_ENDPOINT', 'http://localhost:8000?', /query/],
    ['AWS_ACCESS_KEY_ID', 'AKID/EXAMPLE', /slash/],
    ['QUICKBOOKS_SCOPES', 'com.intuit.quickbooks.accounting,openid', /one space/],
    ['QUICKBOOKS_SCOPES', 'com.intuit.quickbooks.accounting, openid', /one space/],
    ['QUICKBOOKS_SCOPES', 'com.intuit.quickbooks.accounting+openid', /one space/],
    ['QUICKBOOKS_SCOPES', 'com.intuit.quickbooks.accounting%20openid', /one space/],
    ['QUICKBOOKS_SCOPES', 'com.intuit.quickbooks.accounting  openid', /one space/],
    ['TOKEN_CACHE_SECONDS', '10s', /whole number/],
    ['TOKEN_CACHE_SECONDS', '1e1', /whole number/],
    ['TOKEN_REFRESH_MARGIN_SECONDS', '3600', /at most 1800/],
    ['TOKEN_REFRESH_MARGIN_SECONDS', -1, /whole number/],
    ['API_KEY_IN_QUERY', 'False', /true or false/],
    ['REFRESH_LEASE_MS', '1000', /REFRESH_DEADLINE_MS/],
  ]
  it.each(refused)('%s = %j', (name, value, reason) => {
    expect(findTexts({ ...GOOD, [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name} .*`))])
    expect(findTexts({ ...GOOD, [name]: value }).join()).toMatch(reason)
  })

  it('differs from an AWS access key whose two halves are swapped', () => {
    const swapped = {
      AWS_ACCESS_KEY_ID: 'wJalrXUtnFEMIoK7MDENGobPxRfiCYEXAMPLEKEY',
      AWS_SECRET_ACCESS_KEY: 'AKIAIOSFODNN7EXAMPLE',
    }
    expect(findTexts({ ...GOOD, ...swapped })).toEqual([
      expect.stringMatching(/^AWS_ACCESS_KEY_ID .*swapped/),
      expect.stringMatching(/^AWS_SECRET_ACCESS_KEY .*swapped/),
    ])
    const right = { AWS_ACCESS_KEY_ID: swapped.AWS_SECRET_ACCESS_KEY, AWS_SECRET_ACCESS_KEY: swapped.AWS_ACCESS_KEY_ID }
    expect(findTexts({ ...GOOD, ...right })).toEqual([])
    expect(findTexts({ ...GOOD, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' })).toEqual([])
  })

  it('lets a pair of strange characters through, as HTTP Basic escapes them', () => {
    expect(findTexts({ ...GOOD, QUICKBOOKS_CLIENT_SECRET: 'a:b/c+d=e%f"g\\h' })).toEqual([])
  })
})

/** A request that needs each variable; `undefined`: only the cron does. */
const needs = (name: string): { path: string; method?: string } | undefined => {
  if (name.startsWith('ALERT_')) return undefined
  if (/^(API_KEY|AWS_|DYNAMODB_(TABLE|ENDPOINT|READ)|TOKEN_REFRESH_MARGIN)/.test(name))
    return { path: '/api/token/beach' }
  if (/^(DYNAMODB_FLEET|KEEP_ALIVE|CRON)/.test(name)) return { path: '/api/connections' }
  if (name === 'INTUIT_REVOCATION_ENDPOINT') return { path: '/api/connections/beach', method: 'DELETE' }
  return { path: name.includes('SANDBOX') ? '/oauth/start/beach-sandbox' : '/oauth/start/beach' }
}

describe('the Worker', () => {
  let engine: Engine
  let table: ReturnType<typeof tableAccess>
  let running: LocalWorker | undefined
  beforeAll(async () => {
    engine = await startDynamoDb()
    table = tableAccess(engine.url, testStorage(engine.url).table)
    await createTable(table.client, testStorage(engine.url).table)
    await table.put({
      pk: { S: 'connection#beach' },
      ...{ company_key: { S: 'beach' }, company_name: { S: 'Beach' }, realm_id: { S: '1' } },
      ...{ access_token: { S: 'access' }, refresh_token: { S: 'refresh' }, uses_sandbox_credentials: { BOOL: false } },
      access_token_expires_at: { N: String(Math.floor(Date.now() / 1000) + 3600) },
    })
  })
  afterAll(async () => {
    await running?.close()
    await engine.close()
  })

  let output = ''
  const workerWith = async (vars: Record<string, Exclude<Value, undefined>>) => {
    await running?.close()
    output = ''
    running = await startWorker({ vars: { ...whole(engine.url), ...vars }, onOutput: (text) => (output += text) })
    const { url } = running
    const ask = async (path: string, init: RequestInit = {}) => {
      const headers = { 'X-API-Key': whole()['API_KEY'] ?? '', ...init.headers }
      const answer = await fetch(new URL(path, url), { redirect: 'manual', ...init, headers })
      const text = await answer.text()
      return { status: answer.status, text, location: answer.headers.get('Location') }
    }
    return { ask, plain: async (path: string) => (await fetch(new URL(path, url))).status }
  }

  const names = Object.keys(GOOD)
  it.each(names.map((name, index) => [name, index] as const))(
    'answers 500 and names %s where a route needs it, /ready names it, and /health answers',
    async (name, index) => {
      const before = JSON.stringify(await table.all())
      const [what, spoil] = SPOIL[index % SPOIL.length] ?? ['', String]
      const value = spoil(name === 'DYNAMODB_ENDPOINT' ? engine.url : (GOOD[name] ?? ''))
      const { ask, plain } = await workerWith({ [name]: value })
      const visit = needs(name)
      const answer = visit && (await ask(visit.path, visit.method ? { method: visit.method } : {}))
      if (answer) {
        expect(answer, what).toMatchObject({ status: 500, text: expect.stringContaining(`${name} `) })
        expect(JSON.parse(answer.text)).toMatchObject({ code: 'configuration_error' })
      }
      expect(await plain('/ready')).toBe(503)
      // A line of the log may come after the response.
      await expect.poll(() => output).toMatch(new RegExp(`not_ready.*${name} `))
      const faults = await ask('/ready')
      expect(faults.text).toContain(`${name} `)
      expect(await plain('/health')).toBe(200)
      expect(isShown(`${answer?.text}${faults.text}${output}`, value), what).toBe(false)
      expect(JSON.stringify(await table.all())).toBe(before)
    },
    20_000,
  )

  const REFRESH = ['POST', '/api/token/beach/refresh'] as const
  const DISCONNECT = ['DELETE', '/api/connections/beach'] as const
  it.each([
    ...['TOKEN_CACHE_SECONDS', 'TOKEN_REFRESH_MARGIN_SECONDS', 'TOKEN_ENCRYPTION_KEYS', 'REFRESH_LEASE_MS'].map(
      (name) => [...REFRESH, name] as const,
    ),
    ...['INTUIT_TOKEN_ENDPOINT', 'QUICKBOOKS_CLIENT_SECRET', 'REQUIRE_SEALED'].map(
      (name) => [...REFRESH, name] as const,
    ),
    ...['TOKEN_CACHE_SECONDS', 'TOKEN_ENCRYPTION_KEYS', 'REFRESH_DEADLINE_MS'].map(
      (name) => [...DISCONNECT, name] as const,
    ),
    ...['INTUIT_REVOCATION_ENDPOINT', 'QUICKBOOKS_CLIENT_ID', 'REQUIRE_SEALED'].map(
      (name) => [...DISCONNECT, name] as const,
    ),
  ])(
    'changes nothing and asks Intuit nothing for %s %s, which notices %s',
    async (method, path, name) => {
      const before = JSON.stringify(await table.all())
      const { ask } = await workerWith({ [name]: name.endsWith('S') ? '10s' : `${GOOD[name]}\n` })
      expect(await ask(path, { method })).toMatchObject({ status: 500, text: expect.stringContaining(`${name} `) })
      expect(JSON.stringify(await table.all())).toBe(before)
    },
    20_000,
  )

  it.each([
    ['a refresh', 'QUICKBOOKS_REDIRECT_URI', ...REFRESH, 502],
    ['a refresh', 'SUCCESS_REDIRECT_URL', ...REFRESH, 502],
    ['a read', 'QUICKBOOKS_SCOPES', 'GET', '/api/token/beach', 200],
    ['a read', 'INTUIT_TOKEN_ENDPOINT', 'GET', '/api/token/beach', 200],
    ['metadata', 'TOKEN_REFRESH_MARGIN_SECONDS', 'GET', '/api/connections/beach', 200],
  ] as const)('does not hold %s up for a fault of %s', async (_, name, method, path, status) => {
    const nowhere = { INTUIT_TOKEN_ENDPOINT: 'http://127.0.0.1:9/token' }
    const { ask } = await workerWith({ ...nowhere, [name]: `${GOOD[name]}\n` })
    expect((await ask(path, { method })).status).toBe(status)
  })

  it('reads booleans and numbers of [vars] as their text', async () => {
    const { ask } = await workerWith({ API_KEY_IN_QUERY: false, BIND_BROWSER: false, TOKEN_CACHE_SECONDS: 0 })
    expect((await ask('/ready')).status).toBe(200)
    const inQuery = `/api/connections/beach?api_key=${whole()['API_KEY']}`
    expect((await ask(inQuery, { headers: { 'X-API-Key': '' } })).status).toBe(401)
    expect((await ask('/api/connections/beach')).status).toBe(200)
    const allowed = await workerWith({ API_KEY_IN_QUERY: true, API_KEY: 4711 })
    expect((await fetch(new URL('/api/connections/beach?api_key=4711', running?.url))).status).toBe(200)
    expect((await allowed.ask('/api/connections/beach?api_key=4711')).status).toBe(401)
  })
})

describe('a setting that turns bad between start and callback', () => {
  it('is noticed before state and code are used: once it is right, the same visit connects', async () => {
    const service = await startService()
    const names = [
      ...['TOKEN_CACHE_SECONDS', 'TOKEN_ENCRYPTION_KEYS', 'REFRESH_LEASE_MS', 'QUICKBOOKS_CLIENT_SECRET'],
      'REQUIRE_SEALED',
      ...['INTUIT_TOKEN_ENDPOINT', 'ONE_KEY_PER_REALM', 'SUCCESS_REDIRECT_URL', 'QUICKBOOKS_REDIRECT_URI'],
    ]
    for (const [index, name] of names.entries()) {
      const path = await service.consented(`company-${index}`, { realmId: String(1_000 + index) })
      const other = await startWorker({ vars: { ...service.vars, [name]: `${service.vars[name] ?? GOOD[name]}\n` } })
      const answer = await fetch(new URL(path, other.url), { redirect: 'manual' })
      expect(answer.status, name).toBe(500)
      expect(await answer.json(), name).toMatchObject({
        code: 'configuration_error',
        detail: expect.stringContaining(`${name} `),
      })
      await other.close()
      expect((await service.intuit.state()).counts.exchange).toBe(index)
      expect((await service.fetch(path)).status, name).toBe(200)
    }
    await service.close()
  }, 60_000)
})
