import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { reencryptTable } from '../../dev/reseal/reencrypt.ts'
import { startWorker } from '../../dev/worker.ts'
import { readConfig } from '../../src/config/config.ts'
import { createTokenVault, findEncryptionKeyId } from '../../src/crypto/token-vault.ts'
import { adminClient, realRuntime } from '../support/engine.ts'
import { sha256 } from '../support/fixtures.ts'
import { type Service, startService } from '../support/worker-harness.ts'
import { runCommand } from './run-command.ts'

const TOKENS = ['access_token', 'refresh_token'] as const
const createKey = (kid: string) => `${kid}:${randomBytes(32).toString('base64')}`
const OLD = createKey('old')
const KEYS = `${createKey('new')},${OLD}`

const createVault = (value: string) =>
  createTokenVault(
    () => readConfig({ TOKEN_ENCRYPTION_KEYS: value }).encryptionKeys(),
    () => undefined,
  )

describe('npm run keys:new', () => {
  const options = ['--name', 'books', '--may', 'token:read, token:refresh', '--companies', 'beach-blend,acme-*']

  /** A day in UTC, some days from now. */
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

  it('accepts a day or a time in the future', async () => {
    for (const expires of [day(2), `${day(2)}T00:00:00+14:00`, day(3650)]) {
      expect((await runCommand('keys-new.ts', {}, [...options, '--expires', expires])).code).toBe(0)
    }
  })

  it('prints a key, and its entry for the configuration of the Worker', async () => {
    const { code, output } = await runCommand('keys-new.ts', {}, [...options, '--expires', day(65)])
    expect(code).toBe(0)
    const [, key = '', , , entry = ''] = output.split('\n')
    expect(key).toMatch(/^qbtb_[\w-]{43}$/)
    expect(entry).not.toContain(key)
    expect(JSON.parse(entry)).toEqual({
      ...{ name: 'books', may: ['token:read', 'token:refresh'], companies: ['beach-blend', 'acme-*'] },
      ...{ sha256: sha256(key), expires: day(65) },
    })
    expect(readConfig({ API_KEYS: `[${entry}]` }).access().keys).toHaveLength(1)
  })

  it('creates another key each time', async () => {
    const runs = await Promise.all([1, 2].map(() => runCommand('keys-new.ts', {}, options)))
    expect(runs[0]?.output).not.toBe(runs[1]?.output)
  })

  it.each([
    [[], 'Give --name, --may and --companies. See --help.\n'],
    [['--name', 'a b', '--may', 'token:read', '--companies', '*'], '--name must be 1 to 64'],
    [['--name', 'a', '--may', 'token:write', '--companies', '*'], '--may must be one of token:read'],
    [['--name', 'a', '--may', 'token:read', '--companies', 'a b'], '--companies must be a company key'],
    [[...options, '--expires', 'soon'], '--expires must be a date'],
    [[...options, '--expires', '2027-02-30'], '--expires must be a date'],
    [[...options, '--expires', '31.01.2027'], '--expires must be a date'],
    [[...options, '--expires', '1798675200'], '--expires must be a date'],
    [[...options, '--expires', '2020-01-31'], '--expires 2020-01-31 is in the past'],
    [[...options, '--expires', day(0)], 'is in the past: the key would never be valid'],
    [[...options, '--expires', '2020-01-31T12:00:00+02:00'], 'is in the past'],
    [[...options, '--expires', '9999-12-31'], 'is more than 10 years away. Is the year right?'],
    [[...options, '--expires', ''], '--expires has an empty value'],
    [[...options, '--expires'], "Option '--expires <value>' argument missing. See --help.\n"],
    [[...options, '--name', 'other'], '--name is given twice. See --help.\n'],
    [[...options, 'more'], "Unexpected argument 'more'"],
    [['--nam', 'a'], "Unknown option '--nam'. See --help.\n"],
  ])('rejects %j with an explanation', async (args, words) => {
    const { code, output } = await runCommand('keys-new.ts', {}, args)
    expect(code).toBe(1)
    expect(output).toContain(words)
    expect(output).not.toContain('qbtb_')
  })
})

describe('the documented order of rotating the encryption key', () => {
  const doc = (name: string) => readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8')
  const section = doc('deploy.md').split('## Rotate the token encryption key')[1]?.split('\n## ')[0] ?? ''
  const keys: Record<string, string> = { '2026-01': createKey('2026-01'), '2027-01': createKey('2027-01') }
  /** The values of the variable, step by step, with keys in the place of the dots. */
  const steps = [
    keys['2026-01'] ?? '',
    ...[...section.matchAll(/TOKEN_ENCRYPTION_KEYS=([\d-]+:…(?:,[\d-]+:…)*)/g)].map(([, value = '']) =>
      value.replaceAll(/([\d-]+):…/g, (_, kid) => keys[kid] ?? ''),
    ),
  ]
  it('ends with the new key alone', () => {
    expect(steps).toEqual([
      ...[
        keys['2026-01'],
        `${keys['2026-01']},${keys['2027-01']}`,
        `${keys['2027-01']},${keys['2026-01']}`,
        keys['2027-01'],
      ],
    ])
  })

  it('leaves no token that a Worker cannot decrypt while the Workers of two consecutive steps run at the same time', async () => {
    let stored = await createVault(steps[0] ?? '').encrypt('beach-blend', 'refresh_token', 'RT1-token')
    for (const [index, value] of steps.entries()) {
      const workers = [steps[index - 1] ?? value, value].map(createVault)
      for (const writer of workers) {
        // Before the last step, keys:reseal re-encrypts what the old key encrypted.
        const isAfterReseal = index === steps.length - 1
        const encrypted = isAfterReseal
          ? await createVault(value).encrypt('beach-blend', 'refresh_token', 'RT1-token')
          : stored
        for (const reader of workers)
          expect(await reader.decrypt('beach-blend', 'refresh_token', encrypted)).toBe('RT1-token')
        stored = await writer.encrypt('beach-blend', 'refresh_token', 'RT1-token')
        for (const reader of workers)
          expect(await reader.decrypt('beach-blend', 'refresh_token', stored)).toBe('RT1-token')
      }
    }
  })

  it('is described once, and the other documents link to it', () => {
    expect(doc('keys.md')).toContain('(deploy.md#rotate-the-token-encryption-key)')
    expect(doc('keys.md')).not.toMatch(/^\d\. .*(new one|keys:reseal)/m)
  })
})

describe.each(['keys-new.ts', 'keys-reseal.ts'])('%s', (script) => {
  it('has --help', async () => {
    const help = await runCommand(script, {}, ['--help'])
    expect(help).toEqual({ code: 0, output: expect.stringMatching(/^npm run keys:/) })
  })
})

describe('npm run keys:reseal', () => {
  let service: Service
  /** The Worker before the old key is removed: the new key encrypts. */
  let origin: string
  let close: () => Promise<void>
  beforeAll(async () => {
    service = await startService({ vars: { TOKEN_ENCRYPTION_KEYS: OLD } })
    const worker = await startWorker({ vars: { ...service.vars, TOKEN_ENCRYPTION_KEYS: KEYS } })
    origin = worker.url
    close = worker.close
  })
  afterAll(async () => {
    await close()
    await service.close()
  })
  beforeEach(async () => {
    service.dynamo.heal()
    for (const { pk } of await service.dynamo.all()) await service.dynamo.remove(pk?.S ?? '')
  })

  const connect = async (key: string) => expect((await service.connect(key)).status).toBe(200)
  const stored = async (key: string) => (await service.dynamo.item(`connection#${key}`)) ?? {}
  const findKeyIds = async (key: string) => {
    const record = await stored(key)
    return TOKENS.map((name) => findEncryptionKeyId(record[name]?.S ?? ''))
  }
  const vault = createTokenVault(
    () => readConfig({ TOKEN_ENCRYPTION_KEYS: KEYS }).encryptionKeys(),
    () => undefined,
  )
  const refresh = (key: string) =>
    fetch(`${origin}/api/token/${key}/refresh`, { method: 'POST', headers: { 'X-API-Key': service.apiKey } })

  /** Turns a connection into a record written by hand: plain tokens, and no attributes of the broker. */
  const byHand = async (key: string) => {
    const record = await stored(key)
    for (const name of TOKENS) record[name] = { S: await vault.decrypt(key, name, record[name]?.S ?? '') }
    for (const name of ['generation', 'refresh_token_hash', 'written_by']) delete record[name]
    await service.dynamo.put(record)
    return record
  }
  const env = (over: Record<string, string> = {}) => ({ ...service.vars, TOKEN_ENCRYPTION_KEYS: KEYS, ...over })
  const reencrypt = (over: Partial<Parameters<typeof reencryptTable>[0]> = {}) =>
    reencryptTable({
      client: service.dynamo.proxied,
      table: service.vars['DYNAMODB_TABLE'] ?? '',
      keys: readConfig(env()).encryptionKeys(),
      ...{ dryRun: false, concurrency: 16, signal: undefined, onFailed: () => undefined },
      now: realRuntime.now,
      sleep: realRuntime.sleep,
      onProgress: () => undefined,
      onUnreadable: () => undefined,
      onCutShort: () => undefined,
      ...over,
    })

  it('encrypts old and plain tokens with the first key, changes nothing else, and then finds nothing to do', async () => {
    for (const key of ['older', 'by-hand', 'newer']) await connect(key)
    const before = await stored('older')
    const plain = await byHand('by-hand')
    expect((await refresh('newer')).status).toBe(200)
    const newer = await stored('newer')
    await service.fetch('/oauth/start/unfinished')

    const { code, output } = await runCommand('keys-reseal.ts', env())
    expect(output).toContain('Done: 2 re-encrypted, 2 up to date, 0 in use, 0 unreadable, 0 failed; 0 cut short.')
    expect(output).toContain('No plain token is left: you can set REQUIRE_SEALED=true')
    expect(code).toBe(0)
    for (const key of ['older', 'by-hand', 'newer']) expect(await findKeyIds(key)).toEqual(['new', 'new'])
    expect(await stored('newer')).toEqual(newer)
    const after = await stored('older')
    expect({ ...after, access_token: 0, refresh_token: 0 }).toEqual({ ...before, access_token: 0, refresh_token: 0 })
    for (const name of TOKENS)
      expect(await vault.decrypt('by-hand', name, (await stored('by-hand'))[name]?.S ?? '')).toBe(plain[name]?.S)
    expect(await stored('by-hand')).toMatchObject({
      refresh_token_hash: { S: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
    for (const key of ['older', 'by-hand', 'newer']) expect((await refresh(key)).status).toBe(200)

    const again = await runCommand('keys-reseal.ts', env())
    expect(again.output).toContain('Done: 0 re-encrypted, 4 up to date, 0 in use, 0 unreadable, 0 failed; 0 cut short.')
  })

  it('encrypts a token that waits for its revocation, under the name that it had before', async () => {
    const names = {
      'left-refresh': 'refresh_token',
      'left-access': 'access_token',
      'left-plain': 'refresh_token',
    } as const
    const oldVault = createVault(OLD)
    for (const [key, name] of Object.entries(names)) {
      await connect(key)
      const { access_token: _, refresh_token: __, ...erased } = await stored(key)
      const token = key === 'left-plain' ? 'RT1-token' : await oldVault.encrypt(key, name, 'RT1-token')
      await service.dynamo.put({ ...erased, revocation: { S: 'pending' }, revocation_token: { S: token } })
    }
    expect(await reencrypt()).toMatchObject({ reencrypted: 3, unreadable: 0 })
    for (const [key, name] of Object.entries(names)) {
      const token = (await stored(key))['revocation_token']?.S ?? ''
      expect(findEncryptionKeyId(token)).toBe('new')
      expect(await vault.decrypt(key, name, token)).toBe('RT1-token')
    }
    expect(await reencrypt()).toMatchObject({ reencrypted: 0, upToDate: 3 })
  })

  it.each([
    ['NULL', { NULL: true }],
    ['empty', { S: '' }],
    ['of another type', { BOOL: true }],
  ])('treats an attribute that is %s as absent, as the Worker does', async (_, nothing) => {
    await connect('by-hand')
    const { refresh_token: plain, ...record } = await byHand('by-hand')
    if (!plain) throw new Error('not connected')
    const unset = { access_token: nothing, refresh_token_hash: nothing, generation: nothing, lease_owner: nothing }
    await service.dynamo.put({
      ...record,
      ...unset,
      refresh_token: plain,
      lease_until: nothing,
      revocation_token: nothing,
    })
    expect(await reencrypt()).toMatchObject({ reencrypted: 1, busy: 0 })
    const after = await stored('by-hand')
    expect(await vault.decrypt('by-hand', 'refresh_token', after['refresh_token']?.S ?? '')).toBe(plain.S)
    expect(after['refresh_token_hash']?.S).toMatch(/^[0-9a-f]{64}$/)
    expect((await refresh('by-hand')).status).toBe(200)
  })

  it('writes nothing in a dry run', async () => {
    await connect('older')
    const before = await service.dynamo.all()
    const { code, output } = await runCommand('keys-reseal.ts', env(), ['--dry-run'])
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringMatching(/Done: 1 to re-encrypt, 0 up to date.*\n.*Leave REQUIRE_SEALED unset/),
    })
    expect(await service.dynamo.all()).toEqual(before)
  })

  it('reports tokens that cannot be decrypted, continues, and exits with 1', async () => {
    for (const key of ['good', 'swapped', 'cut']) await connect(key)
    const { access_token, ...swapped } = await stored('swapped')
    const { refresh_token } = await stored('good')
    if (!access_token || !refresh_token) throw new Error('not connected')
    await service.dynamo.put({ ...swapped, access_token, refresh_token })
    await service.dynamo.put({ ...(await stored('cut')), access_token: { S: 'sealed:v1:eyJ' } })
    const { code, output } = await runCommand('keys-reseal.ts', env())
    expect(code).toBe(1)
    expect(output).toContain('swapped refresh_token: A stored token cannot be decrypted')
    expect(output).toContain('cut access_token: A stored token cannot be decrypted')
    expect(output).toContain('Done: 1 re-encrypted, 0 up to date, 0 in use, 2 unreadable, 0 failed; 0 cut short.')
    expect(output).toContain('Leave REQUIRE_SEALED unset')
    expect(await findKeyIds('good')).toEqual(['new', 'new'])
    expect(await stored('swapped')).toMatchObject({ refresh_token })
    expect(await findKeyIds('cut')).toEqual([undefined, 'new'])
  })

  it('yields to a concurrent refresh, and then finds its tokens up to date', async () => {
    await connect('raced')
    const reached = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    service.dynamo.fault({
      ...{ kind: 'hold', until: release.promise, operation: 'UpdateItem', times: 1 },
      when: ({ body }) => {
        const isOurs = JSON.stringify(body).includes(':was_access_token')
        if (isOurs) reached.resolve()
        return isOurs
      },
    })
    const done = reencrypt()
    await reached.promise
    expect((await refresh('raced')).status).toBe(200)
    const refreshed = await stored('raced')
    release.resolve()
    expect(await done).toEqual({ reencrypted: 0, upToDate: 1, busy: 0, unreadable: 0, failed: 0, cutShort: 0 })
    expect(await stored('raced')).toEqual(refreshed)
  })

  it('does not replace a token without a hash while a refresh uses it', async () => {
    await connect('by-hand')
    const { refresh_token } = await byHand('by-hand')
    const held = { lease_owner: { S: 'somebody' }, lease_until: { N: String(Date.now() + 600_000) } }
    await service.dynamo.put({ ...(await stored('by-hand')), ...held })
    const pauses: number[] = []
    const sleep = async (milliseconds: number) => pauses.push(milliseconds)
    expect(await reencrypt({ sleep })).toMatchObject({ busy: 1, reencrypted: 0 })
    expect(pauses.length).toBeGreaterThan(3)
    expect(await stored('by-hand')).toMatchObject({ ...held, refresh_token })
    const twentyMinutesLater = () => Date.now() + 1_200_000
    expect(await reencrypt({ sleep, now: twentyMinutesLater })).toMatchObject({ reencrypted: 1 })
  })

  it('reports a connection whose refresh was cut short until its token is requested, because a token pair may be parked', async () => {
    await connect('cut-short')
    const lapsed = { lease_owner: { S: 'somebody' }, lease_until: { N: String(Date.now() - 120_000) } }
    await service.dynamo.put({ ...(await stored('cut-short')), ...lapsed, access_token_expires_at: { N: '1' } })
    const { code, output } = await runCommand('keys-reseal.ts', env())
    expect(output).toContain('cut-short: a refresh was cut short. Request its token')
    expect(output).toContain('Done: 1 re-encrypted, 0 up to date, 0 in use, 0 unreadable, 0 failed; 1 cut short.')
    expect(output).toContain('Leave REQUIRE_SEALED unset')
    expect(code).toBe(1)
    expect((await refresh('cut-short')).status).toBe(200)
    expect((await runCommand('keys-reseal.ts', env())).code).toBe(0)
  })

  it('loses no token while a Worker refreshes', async () => {
    const keys = Array.from({ length: 8 }, (_, index) => `company-${index}`)
    for (const key of keys) await connect(key)
    for (const key of keys.slice(0, 4)) await byHand(key)
    const pendingRefreshes = keys.map(async (key) => {
      for (let time = 0; time < 3; time++) expect((await refresh(key)).status).toBe(200)
    })
    const tallies = await Promise.all([reencrypt(), reencrypt()])
    await Promise.all(pendingRefreshes)
    for (const { unreadable } of tallies) expect(unreadable).toBe(0)
    expect(await reencrypt()).toMatchObject({ busy: 0, unreadable: 0 })
    for (const key of keys) {
      expect(await findKeyIds(key)).toEqual(['new', 'new'])
      expect((await refresh(key)).status).toBe(200)
    }
  })

  const isOurs = ({ body }: { body: unknown }) => JSON.stringify(body).includes(':was_access_token')
  const many = async (count: number) => {
    const keys = Array.from({ length: count }, (_, index) => `company-${index}`)
    await connect(keys[0] ?? '')
    const first = await stored('company-0')
    // Encrypted tokens of another company cannot be decrypted, so these are plain.
    const plain = { access_token: { S: 'access' }, refresh_token: { S: 'refresh' } }
    for (const key of keys) {
      await service.dynamo.put({ ...first, ...plain, pk: { S: `connection#${key}` }, company_key: { S: key } })
    }
    return keys
  }
  const countReencrypted = async (keys: string[]) => {
    const all = await Promise.all(keys.map(findKeyIds))
    return all.filter((kids) => kids.every((kid) => kid === 'new')).length
  }

  it('processes as many records at a time as --concurrency says', async () => {
    const keys = await many(12)
    const release = Promise.withResolvers<void>()
    service.dynamo.requests.length = 0
    service.dynamo.fault({ kind: 'hold', until: release.promise, operation: 'UpdateItem', when: isOurs })
    const done = reencrypt({ concurrency: 5 })
    const writes = () => service.dynamo.requests.filter(isOurs).length
    await expect.poll(writes, { timeout: 20_000 }).toBe(5)
    // Any other write has arrived by then.
    await service.dynamo.proxied.send(new ListTablesCommand({}))
    expect(writes()).toBe(5)
    release.resolve()
    expect(await done).toMatchObject({ reencrypted: 12 })
    expect(await countReencrypted(keys)).toBe(12)
  })

  it('slows down while the table throttles, and fails no record', async () => {
    const keys = await many(10)
    const throttled = { kind: 'error', status: 400, type: 'ProvisionedThroughputExceededException' } as const
    service.dynamo.fault({ ...throttled, operation: 'Scan', times: 4 })
    service.dynamo.fault({ ...throttled, operation: 'UpdateItem', times: 40, when: isOurs })
    const pauses: number[] = []
    const sleep = async (milliseconds: number) => pauses.push(milliseconds)
    // Without retries of its own.
    const client = adminClient(service.dynamo.url, { maxAttempts: 1 })
    expect(await reencrypt({ client, sleep, concurrency: 8 })).toMatchObject({ reencrypted: 10, failed: 0, busy: 0 })
    expect(pauses.length).toBeGreaterThan(2)
    expect(await countReencrypted(keys)).toBe(10)
  })

  it('reports and counts a record that the table rejects, and continues', async () => {
    const keys = await many(6)
    service.dynamo.fault({
      ...{ kind: 'error', status: 400, type: 'ValidationException', operation: 'UpdateItem' },
      when: ({ body }) => JSON.stringify(body).includes('connection#company-3'),
    })
    const { code, output } = await runCommand('keys-reseal.ts', env({ DYNAMODB_ENDPOINT: service.dynamo.url }))
    expect(output).toContain('company-3: failed with ValidationException\n')
    expect(output).toContain('Done: 5 re-encrypted, 0 up to date, 0 in use, 0 unreadable, 1 failed; 0 cut short.')
    expect(code).toBe(1)
    expect(await countReencrypted(keys)).toBe(5)
  })

  it('stops at an error that every record would get, and completes the records in progress', async () => {
    await many(30)
    const isRefused = ({ body }: { body: unknown }) => JSON.stringify(body).includes(':was_access_token')
    const refused = service.dynamo.fault({
      ...{ kind: 'error', status: 400, type: 'AccessDeniedException', operation: 'UpdateItem', when: isRefused },
    })
    await expect(reencrypt({ concurrency: 3 })).rejects.toThrow('AccessDeniedException')
    expect(refused.struck.length).toBeLessThanOrEqual(6)
  })

  it('stops between records, and another run continues', async () => {
    const keys = await many(20)
    const controller = new AbortController()
    const first = await reencrypt({
      ...{ concurrency: 2, signal: controller.signal },
      onProgress: ({ reencrypted }) => reencrypted >= 5 && controller.abort(),
    })
    expect(first.reencrypted).toBeGreaterThanOrEqual(5)
    expect(first.reencrypted).toBeLessThan(20)
    expect(await countReencrypted(keys)).toBe(first.reencrypted)
    expect(await reencrypt()).toMatchObject({ reencrypted: 20 - first.reencrypted, upToDate: first.reencrypted })
    expect(await countReencrypted(keys)).toBe(20)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'completes the records in progress at %s, and reports that it was stopped',
    async (name) => {
      const keys = await many(12)
      const release = Promise.withResolvers<void>()
      const held = service.dynamo.fault({
        ...{ kind: 'hold', until: release.promise, operation: 'UpdateItem', when: isOurs },
      })
      let child: ChildProcess | undefined
      let said = ''
      const ended = runCommand('keys-reseal.ts', env(), ['--concurrency', '2'], (started) => {
        child = started
        started.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
      })
      await expect.poll(() => held.struck.length, { timeout: 20_000 }).toBe(2)
      child?.kill(name)
      await expect.poll(() => said, { timeout: 20_000 }).toContain('Stopping')
      release.resolve()
      const { code, output } = await ended
      expect(output).toContain('Stopped: 2 re-encrypted, 0 up to date')
      expect(code).toBe(130)
      expect(await countReencrypted(keys)).toBe(2)
      service.dynamo.heal()
      const again = await runCommand('keys-reseal.ts', env())
      expect(again.output).toContain('Done: 10 re-encrypted, 2 up to date')
    },
  )

  it.each(['0', '51', '-1', 'many', '1.5'])('rejects --concurrency=%s', async (concurrency) => {
    const { code, output } = await runCommand('keys-reseal.ts', env(), [`--concurrency=${concurrency}`])
    expect({ code, output }).toEqual({ code: 1, output: '--concurrency must be 1 to 50.\n' })
  })

  it('continues after an empty page that is not the last', async () => {
    await many(3)
    const [first, ...others] = (await service.dynamo.all()).filter(({ pk }) => pk?.S?.startsWith('connection#'))
    service.dynamo.fault({
      ...{ kind: 'answer', operation: 'Scan', status: 200, times: 1 },
      body: JSON.stringify({ Items: [], Count: 0, ScannedCount: 100, LastEvaluatedKey: { pk: first?.['pk'] } }),
    })
    expect(await reencrypt()).toMatchObject({ reencrypted: others.length })
    expect(others).toHaveLength(2)
  })

  it('reports missing variables and an unreachable table, without a secret', async () => {
    const marked = { AWS_SECRET_ACCESS_KEY: 'a-marked-secret' }
    const { code, output } = await runCommand('keys-reseal.ts', env({ ...marked, TOKEN_ENCRYPTION_KEYS: '' }))
    expect({ code, output }).toEqual({ code: 1, output: 'Set TOKEN_ENCRYPTION_KEYS in the environment.\n' })
    const away = await runCommand('keys-reseal.ts', env({ ...marked, DYNAMODB_ENDPOINT: 'http://127.0.0.1:9' }))
    expect(away.code).toBe(1)
    expect(away.output).not.toContain('marked')
    const nothing = await runCommand('keys-reseal.ts')
    expect(nothing).toEqual({ code: 1, output: expect.stringContaining('Set AWS_REGION') })
  })
})
