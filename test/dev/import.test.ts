import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AttributeValue, GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, startDynamoDb } from '../../dev/dynamodb.ts'
import { noCheckpoint } from '../../dev/import/checkpoint.ts'
import { createFileSource } from '../../dev/import/from-file.ts'
import { importRecords } from '../../dev/import/import.ts'
import { toPlainRecord } from '../../dev/import/plain.ts'
import { readRecord, toItem } from '../../dev/import/record.ts'
import { createTable } from '../../dev/table.ts'
import { createTokenVault } from '../../src/crypto/token-vault.ts'
import { toAttributes } from '../../src/storage/attribute-values.ts'
import { parseConnection } from '../../src/storage/connection-item.ts'
import { toFleetShard } from '../../src/storage/fleet-keys.ts'
import { adminClient } from '../support/engine.ts'
import { sha256 } from '../support/fixtures.ts'

type Item = Record<string, AttributeValue>

let engine: Engine
let client: ReturnType<typeof adminClient>
beforeAll(async () => {
  engine = await startDynamoDb()
  client = adminClient(engine.url)
})
afterAll(() => engine.close())

let tables = 0
const newTable = async () => {
  const table = `imported-${++tables}`
  await createTable(client, table)
  return table
}

const folder = mkdtempSync(join(tmpdir(), 'import-'))
let files = 0
const linesFile = (records: unknown[]) => {
  const path = join(folder, `${++files}.jsonl`)
  writeFileSync(
    path,
    records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record))).join('\n'),
  )
  return path
}

const toCheckpointPath = (table: string) => join(folder, `${table}.checkpoint.json`)

const start = (table: string, args: string[], more: Record<string, string> = {}) => {
  const env = {
    ...more,
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'a-marked-secret',
    DYNAMODB_TABLE: table,
    DYNAMODB_ENDPOINT: engine.url,
  }
  const command = ['dev/import.ts', '--env', '--checkpoint', toCheckpointPath(table), ...args]
  const child = spawn(process.execPath, command, { env })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, output, ended }
}
const run = async (table: string, args: string[], more: Record<string, string> = {}) => {
  const { output, ended } = start(table, args, more)
  return { code: await ended, ...output }
}

const all = async (table: string): Promise<Item[]> => {
  const items: Item[] = []
  let from: Item | undefined
  do {
    const page = await client.send(new ScanCommand({ TableName: table, ...(from ? { ExclusiveStartKey: from } : {}) }))
    items.push(...(page.Items ?? []))
    from = page.LastEvaluatedKey
  } while (from)
  return items
}
const stored = async (table: string, companyKey: string) =>
  (await client.send(new GetItemCommand({ TableName: table, Key: { pk: { S: `connection#${companyKey}` } } }))).Item
const put = (table: string, values: Parameters<typeof toAttributes>[0]) =>
  client.send(new PutItemCommand({ TableName: table, Item: toAttributes(values) }))

const plainVault = createTokenVault(
  () => [],
  () => undefined,
)

/** The attributes of the API reference, and nothing else. */
const record = (companyKey: string, over: Record<string, unknown> = {}) => ({
  company_key: companyKey,
  company_name: `The company ${companyKey}`,
  realm_id: '9130347596012345678',
  access_token: `access-of-${companyKey}`,
  refresh_token: `RT1-of-${companyKey}`,
  access_token_expires_at: 1_775_689_200,
  refresh_token_expires_at: 1_784_000_000,
  uses_sandbox_credentials: false,
  ...over,
})
const typed = (values: ReturnType<typeof record>) => toAttributes(values as Parameters<typeof toAttributes>[0])

describe('npm run import', () => {
  it('imports each of 10,000 records once if it is killed and run again, and overwrites nothing newer', async () => {
    const table = await newTable()
    const keys = Array.from({ length: 10_000 }, (_, index) => `company-${index}`)
    const newer = {
      ...record('company-4321'),
      pk: 'connection#company-4321',
      generation: 7,
      refresh_token: 'RT1-newer',
    }
    await put(table, newer as Parameters<typeof toAttributes>[0])
    const args = ['--from-file', linesFile(keys.map((key) => record(key))), '--apply']

    const first = start(table, args)
    await expect.poll(() => first.output.stderr, { timeout: 200_000, interval: 20 }).toMatch(/^3,000 read/m)
    first.child.kill('SIGKILL')
    await first.ended
    const inTheMiddle = await all(table)
    expect(inTheMiddle.length).toBeGreaterThanOrEqual(3_000)
    expect(inTheMiddle.length).toBeLessThan(10_000)

    const second = await run(table, args)
    expect(second.code).toBe(0)
    expect(second.stdout).toMatch(/^10,000 read: /)
    expect(second.stderr).toContain('kept     line 4322, company-4321: is connected with other tokens')
    // It continued where it had stopped.
    expect(second.stderr).not.toMatch(/^3,000 read/m)
    expect(existsSync(toCheckpointPath(table))).toBe(false)

    const items = await all(table)
    expect(items).toHaveLength(10_000)
    expect(new Set(items.map((item) => item['company_key']?.S))).toEqual(new Set(keys))
    for (const item of items) {
      const key = item['company_key']?.S ?? ''
      if (key === 'company-4321') expect(item).toEqual(toAttributes(newer as Parameters<typeof toAttributes>[0]))
      else expect([item['refresh_token']?.S, item['generation']?.N]).toEqual([`RT1-of-${key}`, '1'])
    }
  }, 400_000)

  it('writes nothing without --apply, and reports what it would do', async () => {
    const table = await newTable()
    await put(table, { ...record('there'), pk: 'connection#there', refresh_token: 'RT1-other' } as Parameters<
      typeof toAttributes
    >[0])
    const before = await all(table)
    const args = ['--from-file', linesFile([record('new'), record('there')])]
    const { code, stdout } = await run(table, args)
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '2 read: 1 to be imported, 1 to be kept. Nothing was written. Repeat with --apply.\n',
    })
    expect(await all(table)).toEqual(before)
  })

  it('makes a record that the Worker reads and the fleet index shows', async () => {
    const table = await newTable()
    await run(table, ['--from-file', linesFile([record('beach-blend')]), '--apply'])
    const item = (await stored(table, 'beach-blend')) ?? {}
    expect(parseConnection(item, 'beach-blend')).toMatchObject({
      companyName: 'The company beach-blend',
      environment: 'production',
      realmId: '9130347596012345678',
      accessToken: 'access-of-beach-blend',
      refreshToken: 'RT1-of-beach-blend',
      refreshTokenHash: sha256('RT1-of-beach-blend'),
      generation: 1,
    })
    expect(item).toMatchObject(toAttributes({ fleet_shard: toFleetShard('beach-blend'), dies_at: 1_784_000_000 }))
  })

  it('changes nothing when it is repeated', async () => {
    const table = await newTable()
    const args = ['--from-file', linesFile([record('one'), record('two')]), '--apply']
    expect((await run(table, args)).stdout).toBe('2 read: 2 imported.\n')
    const before = await all(table)
    expect((await run(table, args)).stdout).toBe('2 read: 2 unchanged.\n')
    expect(await all(table)).toEqual(before)
  })

  it('encrypts tokens if a key is configured, and recognises them when it is repeated', async () => {
    const table = await newTable()
    const bytes = new Uint8Array(32).fill(7)
    const keys = { TOKEN_ENCRYPTION_KEYS: `2026-01:${Buffer.from(bytes).toString('base64')}` }
    const args = ['--from-file', linesFile([record('sealed'), record('by-hand')]), '--apply']
    await put(table, { ...record('by-hand'), pk: 'connection#by-hand' } as Parameters<typeof toAttributes>[0])
    expect((await run(table, args, keys)).stdout).toBe('2 read: 1 imported, 1 completed.\n')
    const {
      accessToken = '',
      refreshToken = '',
      refreshTokenHash,
    } = parseConnection((await stored(table, 'sealed')) ?? {}, 'sealed')
    const vault = createTokenVault(
      () => [{ kid: '2026-01', bytes }],
      () => undefined,
    )
    expect([accessToken, refreshToken].every((token) => token.startsWith('sealed:v1:'))).toBe(true)
    expect(await vault.decrypt('sealed', 'access_token', accessToken)).toBe('access-of-sealed')
    expect(await vault.decrypt('sealed', 'refresh_token', refreshToken)).toBe('RT1-of-sealed')
    expect(refreshTokenHash).toBe(sha256('RT1-of-sealed'))
    expect((await run(table, args, keys)).stdout).toBe('2 read: 2 unchanged.\n')
    const copy = await newTable()
    expect((await run(copy, ['--from-table', table, '--apply'], keys)).stdout).toBe('2 read: 2 imported.\n')
    expect((await stored(copy, 'sealed'))?.['refresh_token']).toEqual({ S: refreshToken })
  })

  it('has --help and rejects unknown options', async () => {
    const help = await run('none', ['--help'])
    expect(help.code).toBe(0)
    expect(help.stdout).toMatch(/^npm run import: /)
    expect(await run('none', ['--from-file'])).toMatchObject({
      ...{ code: 1, stderr: "Option '--from-file <value>' argument missing. See --help.\n" },
    })
    expect(await run('none', ['--from-file', 'a', '--from-file', 'b'])).toMatchObject({
      ...{ code: 1, stderr: '--from-file is given twice. See --help.\n' },
    })
    const unknown = await run('none', ['--everything'])
    expect(unknown).toMatchObject({ code: 1, stderr: "Unknown option '--everything'. See --help.\n" })
  })

  it('overwrites an unfinished connection, and keeps a disconnected one', async () => {
    const table = await newTable()
    await put(table, { pk: 'connection#begun', company_key: 'begun', generation: 0, expires_at: 4_000_000_000 })
    await put(table, { pk: 'connection#left', company_key: 'left', generation: 3, realm_id: '1' })
    const { stdout, stderr } = await run(table, [
      '--from-file',
      linesFile([record('begun'), record('left')]),
      '--apply',
    ])
    expect(stdout).toBe('2 read: 1 imported, 1 kept.\n')
    expect(stderr).toContain('left: is disconnected')
    expect(await stored(table, 'begun')).not.toHaveProperty('expires_at')
    expect(await stored(table, 'left')).not.toHaveProperty('refresh_token')
  })

  it('reads another table page by page, and skips items that are not connections', async () => {
    const [old, table] = [await newTable(), await newTable()]
    const keys = Array.from({ length: 450 }, (_, index) => `old-${index}`)
    await Promise.all(
      keys.map((key) =>
        client.send(
          new PutItemCommand({ TableName: old, Item: { ...typed(record(key)), pk: { S: `connection#${key}` } } }),
        ),
      ),
    )
    await put(old, { pk: 'state#abc', company_key: 'old-1', expires_at: 1 })
    const { code, stdout, stderr } = await run(table, ['--from-table', old, '--apply'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '451 read: 450 imported, 1 not connections.\n' })
    expect(stderr.match(/ read/g)?.length).toBeGreaterThan(2)
    expect(await all(table)).toHaveLength(450)
  })

  it('completes records written by hand in its own table, unless the Worker refreshes them', async () => {
    const table = await newTable()
    const plain = (key: string) => ({ ...record(key), pk: `connection#${key}` })
    await put(table, plain('by-hand') as Parameters<typeof toAttributes>[0])
    await put(table, { ...plain('in-hand'), lease_owner: 'me' } as Parameters<typeof toAttributes>[0])
    const { stdout, stderr } = await run(table, ['--from-table', table, '--apply'])
    expect(stdout).toBe('2 read: 1 completed, 1 kept.\n')
    expect(stderr).toContain('in-hand: is being refreshed. Import it again')
    const hash = sha256('RT1-of-by-hand')
    expect(await stored(table, 'by-hand')).toEqual(
      toAttributes({
        ...plain('by-hand'),
        refresh_token_hash: hash,
        fleet_shard: toFleetShard('by-hand'),
        dies_at: 1_784_000_000,
      } as Parameters<typeof toAttributes>[0]),
    )
    expect(await stored(table, 'in-hand')).not.toHaveProperty('refresh_token_hash')
  })

  it.each([
    ['NULL', { NULL: true }],
    ['empty', { S: '' }],
    ['of another type', { N: '1' }],
  ])('completes a record with a lease owner that is %s, which is no owner to the Worker', async (_, lease_owner) => {
    const table = await newTable()
    const Item = { ...toAttributes({ pk: 'connection#by-hand' }), ...typed(record('by-hand')), lease_owner }
    await client.send(new PutItemCommand({ TableName: table, Item }))
    const { stdout } = await run(table, ['--from-table', table, '--apply'])
    expect(stdout).toBe('1 read: 1 completed.\n')
    expect(await stored(table, 'by-hand')).toMatchObject(toAttributes({ refresh_token_hash: sha256('RT1-of-by-hand') }))
  })

  it('names each rejected record and the reason, and shows no token', async () => {
    const table = await newTable()
    const secret = 'RT1-a-marked-token'
    const refused = [
      record('Beach/Blend'),
      record('no-token', { refresh_token: undefined }),
      record('milliseconds', { access_token_expires_at: 1_775_689_200_000 }),
      record('rounded', { realm_id: Number('9130347596012345678') }),
      record('sealed', { refresh_token: `sealed:v1:${secret}` }),
      record('blank', { refresh_token: `${secret} ` }),
      record(secret.padEnd(80, 'x')),
      `{"refresh_token": "${secret}"`,
    ]
    const { code, stdout, stderr } = await run(table, [
      '--from-file',
      linesFile([...refused, record('good')]),
      '--apply',
    ])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '9 read: 1 imported, 8 rejected.\n' })
    for (const line of [
      'line 1, "Beach/Blend"…: company_key is malformed',
      'line 2, no-token: refresh_token is missing',
      'line 3, milliseconds: access_token_expires_at is in milliseconds',
      'line 4, rounded: realm_id is a number too long to be exact',
      'line 5, sealed: refresh_token is encrypted and refresh_token_hash is missing',
      'line 6, blank: refresh_token is not a token',
      'line 7, "RT1-a-marked"…: company_key is malformed',
      'line 8: is not a JSON object',
    ]) {
      expect(stderr).toContain(`rejected ${line}`)
    }
    expect(`${stdout}${stderr}`).not.toContain(secret)
    expect(`${stdout}${stderr}`).not.toContain('a-marked-secret')
  })

  const scanPage = (keys: string[], more: Record<string, unknown> = {}) => ({
    Items: keys.map((key) => ({ pk: { S: `connection#${key}` }, ...typed(record(key)) })),
    ...{ Count: keys.length, ScannedCount: keys.length, ConsumedCapacity: null },
    ...more,
  })
  const pretty = (value: unknown) => JSON.stringify(value, null, 4)
  const file = (text: string | Uint8Array) => {
    const path = join(folder, `${++files}.json`)
    writeFileSync(path, text)
    return path
  }
  /** Imports a file without a process and a table, and returns the result. */
  const imported = async (content: string | Uint8Array) => {
    const path = file(content)
    const keys: (string | undefined)[] = []
    const said: string[] = []
    const target = {
      name: 'nowhere',
      put: async (item: Item) => {
        keys.push(item['company_key']?.S)
        return { outcome: 'imported' as const }
      },
    }
    const importing = async () =>
      importRecords({
        source: createFileSource(path, (text) => said.push(text)),
        ...{ target, checkpoint: noCheckpoint, vault: plainVault, now: () => 0 },
        onSkipped: (text) => said.push(text),
        onProgress: () => undefined,
      })
    const fault = await importing().then(
      () => '',
      (error: unknown) => String(error),
    )
    const inOrder = keys.toSorted((left = '', right = '') => left.localeCompare(right))
    return { path, keys: inOrder, said: said.join('\n'), fault }
  }
  const BOM = '\uFEFF'
  const [one, two, three] = ['one', 'two', 'three'].map((key) => JSON.stringify(record(key)))

  it.each<[string, string]>([
    ['printed for people', pretty(scanPage(['one', 'two', 'three']))],
    ['behind a byte-order mark', BOM + pretty(scanPage(['one', 'two', 'three']))],
    ['with the line ends of Windows', pretty(scanPage(['one', 'two', 'three'])).replaceAll('\n', '\r\n')],
    ['in one line', JSON.stringify(scanPage(['one', 'two', 'three']))],
    [
      'page after page',
      `${pretty(scanPage(['one', 'two'], { LastEvaluatedKey: { pk: { S: 'connection#two' } } }))}\n${pretty(scanPage(['three']))}\n`,
    ],
    ['page behind page without a line between', `${pretty(scanPage(['one', 'two']))}${pretty(scanPage(['three']))}`],
    ['a page a line', `${JSON.stringify(scanPage(['one', 'two']))}\n${JSON.stringify(scanPage(['three']))}`],
    ['pages in one line', `${JSON.stringify(scanPage(['one', 'two']))}${JSON.stringify(scanPage(['three']))}`],
    ['its items alone (--query Items)', pretty(scanPage(['one', 'two', 'three']).Items)],
    ['its items in one line', JSON.stringify(scanPage(['one', 'two', 'three']).Items)],
    ['items behind each other (jq .Items[])', scanPage(['one', 'two', 'three']).Items.map(pretty).join('\n')],
    ['single items (get-item)', ['one', 'two', 'three'].map((key) => pretty({ Item: typed(record(key)) })).join('\n')],
    ['an export to S3', ['one', 'two', 'three'].map((key) => JSON.stringify({ Item: typed(record(key)) })).join('\n')],
  ])('takes over what "aws dynamodb scan" and its like print: %s', async (_, text) => {
    expect(await imported(text)).toMatchObject({ keys: ['one', 'three', 'two'], said: '', fault: '' })
  })

  it.each<[string, string]>([
    ['a byte-order mark', `${BOM}${one}\n${two}\n${three}`],
    ['the line ends of Windows', `${one}\r\n${two}\r\n${three}\r\n`],
    ['blank lines', `\n\n${one}\n \t\n${two}\n\n${three}\n\n`],
    ['commas at their ends', `${one},\n${two},\n${three}`],
    ['a list around them', `[\n${one},\n${two},\n${three}\n]`],
  ])('loses no line of a file with %s', async (_, text) => {
    expect(await imported(text)).toMatchObject({ keys: ['one', 'three', 'two'], said: '', fault: '' })
  })

  it('does not break a line at U+2028', async () => {
    const note = JSON.stringify({ ...record('one'), note: 'a\u2028b\u2029c' })
    expect(await imported(`${note}\n${two}`)).toMatchObject({ keys: ['one', 'two'], said: '' })
  })

  it('does all of that as a command', async () => {
    const table = await newTable()
    const path = file(BOM + pretty(scanPage(['one', 'two'])))
    const { code, stdout } = await run(table, ['--from-file', path, '--apply'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '2 read: 2 imported.\n' })
    expect(await all(table)).toHaveLength(2)
    const marked = linesFile([`${BOM}${one}`, two ?? ''])
    expect((await run(await newTable(), ['--from-file', marked, '--apply'])).stdout).toBe('2 read: 2 imported.\n')
    const foreign = file(Buffer.from(`${BOM}${one}`, 'utf16le'))
    expect(await run(table, ['--from-file', foreign, '--apply'])).toEqual({
      ...{ code: 1, stdout: '', stderr: `${foreign} is UTF-16. Save it as UTF-8.\n` },
    })
  })

  it.each<[string, string | Uint8Array, RegExp]>([
    ['is UTF-16', Buffer.from(`${BOM}${one}`, 'utf16le'), /is UTF-16\. Save it as UTF-8\./],
    ['is UTF-16 of the other order', Buffer.from(`${BOM}${one}`, 'utf16le').swap16(), /is UTF-16\./],
    ['is UTF-16 without a mark', Buffer.from(`${one}`, 'utf16le'), /is UTF-16\./],
    ['is compressed', Buffer.from('1f8b0800000000000003', 'hex'), /is compressed\. Run gunzip/],
    ['is empty', '', /is empty\./],
    ['is blank', `${BOM}\n  \n`, /is empty\./],
    ['is truncated', pretty(scanPage(['one', 'two'])).slice(0, -20), /line 1 is truncated\. Nothing was imported\./],
    [
      'is truncated in its second page',
      `${pretty(scanPage(['one']))}\n${pretty(scanPage(['two'])).slice(0, 60)}`,
      /line \d+ is truncated\. Nothing was imported\./,
    ],
    [
      'has a comma too many',
      pretty(scanPage(['one'])).replace(/\n {4}\],/, ',\n    ],'),
      /line \d+ is not JSON\. Nothing/,
    ],
    [
      'has text behind it',
      `${pretty(scanPage(['one']))}\nUnable to locate credentials`,
      /line \d+ is not JSON\. Nothing/,
    ],
  ])('names a file that %s, and takes nothing of it', async (_, content, words) => {
    const { path, keys, said, fault } = await imported(content)
    expect({ keys, said }).toEqual({ keys: [], said: '' })
    expect(fault).toContain(path)
    expect(fault).toMatch(words)
    expect(fault).not.toMatch(/RT1|access-of/)
  })

  it('reports a missing file and a folder', async () => {
    const table = await newTable()
    for (const [path, words] of [
      ['/nowhere/records.json', 'does not exist.'],
      [folder, 'is a folder.'],
    ]) {
      expect(await run(table, ['--from-file', path ?? ''])).toMatchObject({ code: 1, stderr: `${path} ${words}\n` })
    }
  })

  it('names values that are not records by line or number, and continues', async () => {
    const lines = await imported([one, '5', '"text"', '[]', 'null', '{"a":', two, 'caf\xe9'].join('\n'))
    expect(lines.keys).toEqual(['one', 'two'])
    for (const number of [2, 3, 5, 6]) expect(lines.said).toContain(`rejected line ${number}: is not a JSON object`)
    const { Items: items } = scanPage(['one', 'two'])
    const scan = await imported(pretty({ Items: [items[0], 5, null, items[1]] }))
    expect(scan.keys).toEqual(['one', 'two'])
    for (const number of [2, 3]) expect(scan.said).toContain(`rejected item ${number}: is not a JSON object`)
  })

  it('rejects a line that is not UTF-8 instead of changing a company name', async () => {
    const latin1 = Buffer.from(JSON.stringify({ ...record('one'), company_name: 'Café' }), 'latin1')
    const { keys, said } = await imported(Buffer.concat([latin1, Buffer.from(`\n${two}`)]))
    expect({ keys, said }).toEqual({ keys: ['two'], said: 'rejected line 1: is not UTF-8' })
  })

  it('warns about an incomplete scan', async () => {
    for (const more of [{ NextToken: 'eyJ' }, { LastEvaluatedKey: { pk: { S: 'a' } } }]) {
      for (const text of [pretty(scanPage(['one'], more)), JSON.stringify(scanPage(['one'], more))]) {
        expect((await imported(text)).said).toContain('is an incomplete scan')
      }
    }
  })

  it('continues within a scan after it was killed', async () => {
    const table = await newTable()
    const keys = Array.from({ length: 450 }, (_, index) => `company-${index}`)
    const path = file(pretty(scanPage(keys)))
    const tally = { read: 200, imported: 200, unchanged: 0, completed: 0, kept: 0, refused: 0, passedOver: 0 }
    const source = `${path}, ${readFileSync(path).byteLength} bytes`
    const saved = { source, target: `the table ${table} of us-east-1`, next: 200, tally }
    writeFileSync(toCheckpointPath(table), JSON.stringify(saved))
    const { stdout } = await run(table, ['--from-file', path, '--apply'])
    expect(stdout).toBe('450 read: 450 imported.\n')
    expect(await all(table)).toHaveLength(250)
  })

  it('names a damaged checkpoint', async () => {
    const table = await newTable()
    for (const text of ['', '{"source":', '{}', '[]']) {
      writeFileSync(toCheckpointPath(table), text)
      const { code, stderr } = await run(table, ['--from-file', linesFile([record('one')]), '--apply'])
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `${toCheckpointPath(table)} is damaged. Remove it and run the import again. It imports no record twice.\n`,
      })
    }
  })

  it('rejects the checkpoint of another import', async () => {
    const table = await newTable()
    const checkpoint = toCheckpointPath(table)
    writeFileSync(checkpoint, JSON.stringify({ source: 'another', target: 'one', next: 5, tally: {} }))
    const damaged = await run(table, ['--from-file', linesFile([record('one')]), '--apply'])
    expect(damaged.code).toBe(1)
    const tally = { read: 0, imported: 0, unchanged: 0, completed: 0, kept: 0, refused: 0, passedOver: 0 }
    writeFileSync(checkpoint, JSON.stringify({ source: 'another', target: 'one', next: 5, tally }))
    const foreign = await run(table, ['--from-file', linesFile([record('one')]), '--apply'])
    expect(foreign.stderr).toContain('belongs to another import')
    expect(await all(table)).toEqual([])
    expect(readFileSync(checkpoint, 'utf8')).toContain('another')
  })

  it('requires one source', async () => {
    const table = await newTable()
    for (const args of [[], ['--from-file', 'a', '--from-table', 'b']]) {
      expect(await run(table, args)).toMatchObject({
        code: 1,
        stderr: 'Name one of --from-file and --from-table. See --help.\n',
      })
    }
  })
})

const connectionAttributes = {
  ...record('one'),
  generation: 1,
  environment: 'production',
  refresh_token_hash: '',
  refresh_token_hard_expires_at: 0,
  created_at: 0,
  updated_at: 0,
  last_refresh_at: 0,
  last_rotation_at: 0,
}

describe('a record of an existing table', () => {
  const read = async (value: unknown) => {
    const reading = readRecord(toPlainRecord(value) ?? {})
    if (reading.outcome !== 'read') throw new Error(JSON.stringify(reading))
    return parseConnection(await toItem(reading.record, plainVault, 1_775_700_000), 'beach-blend')
  }

  it('reads the same from plain JSON, DynamoDB’s JSON and an export to S3', async () => {
    const plain = record('beach-blend')
    const expected = await read(plain)
    expect(await read(typed(plain))).toEqual(expected)
    expect(await read({ Item: typed(plain) })).toEqual(expected)
  })

  it('keeps all 19 digits of a realm id that DynamoDB holds as a number', async () => {
    const item = { ...typed(record('beach-blend')), realm_id: { N: '9130347596012345678' } }
    expect((await read(item)).realmId).toBe('9130347596012345678')
    expect((await read(record('beach-blend', { realm_id: 12_345 }))).realmId).toBe('12345')
  })

  it('uses pk if there is no company_key, and rejects a contradiction', async () => {
    const { company_key: _, ...rest } = record('beach-blend')
    expect((await read({ ...rest, pk: 'connection#beach-blend' })).companyKey).toBe('beach-blend')
    expect(readRecord({ ...record('one'), pk: 'connection#two' })).toMatchObject({ outcome: 'rejected' })
  })

  it('uses the stored environment, then the name', async () => {
    const { uses_sandbox_credentials: _, ...rest } = record('beach-blend')
    expect((await read({ ...rest, environment: 'sandbox' })).environment).toBe('sandbox')
    expect((await read({ ...rest, company_name: 'The SANDBOX' })).environment).toBe('sandbox')
    expect((await read(rest)).environment).toBe('production')
    expect(readRecord({ ...record('one'), environment: 'sandbox' })).toMatchObject({ outcome: 'rejected' })
  })

  it('is rejected with a reason that shows no value, for each attribute', () => {
    const marked = 'a-marked secret'
    for (const name of Object.keys(connectionAttributes)) {
      for (const value of [marked, 12.5e300, { S: marked }, [marked]]) {
        const reading = readRecord({ ...record('one'), [name]: value })
        const reason = reading.outcome === 'rejected' ? reading.reason : ''
        if (name !== 'company_name' || typeof value !== 'string')
          expect({ name, reason }).toMatchObject({ reason: expect.stringContaining(name) })
        expect(reason).not.toMatch(/marked|12\.5|1\.25/)
      }
    }
  })

  it('has its tokens encrypted, each for its record and attribute', async () => {
    const vault = { ...plainVault, encrypt: async (...bound: string[]) => `sealed:v1:${bound.join('/')}` }
    const reading = readRecord(record('beach-blend'))
    if (reading.outcome !== 'read') throw new Error(reading.outcome)
    expect(await toItem(reading.record, vault, 0)).toMatchObject(
      toAttributes({
        access_token: 'sealed:v1:beach-blend/access_token/access-of-beach-blend',
        refresh_token: 'sealed:v1:beach-blend/refresh_token/RT1-of-beach-blend',
        refresh_token_hash: sha256('RT1-of-beach-blend'),
      }),
    )
  })
})
