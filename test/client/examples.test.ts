import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type QuickBooksApi, startQuickBooksApi } from '../support/quickbooks-api.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const REALM = '12314585920123'

let keys = 0
let key: string
let service: Service
let api: QuickBooksApi
beforeAll(async () => {
  service = await startService()
  api = await startQuickBooksApi(service.intuit)
})
afterAll(() => Promise.all([service.close(), api.close()]))
beforeEach(async () => {
  await service.intuit.reset()
  key = `beach-blend-${++keys}`
  await service.connect(key, { realmId: REALM })
  api.refuse(0)
  api.statuses.length = 0
})

const examples = {
  shell: { command: 'sh', path: 'shell/company-info.sh' },
  node: { command: process.execPath, path: 'node/company-info.js' },
  python: { command: 'python3', path: 'python/company_info.py' },
}
type Example = keyof typeof examples
const ALL: Example[] = ['shell', 'node', 'python']
const WITH_REFRESH: Example[] = ['node', 'python']

const exists = (command: string, flag = '--version') => spawnSync(command, [flag]).status === 0
const missing: Record<Example, string | undefined> = {
  shell: exists('curl') ? undefined : 'curl',
  node: undefined,
  python: exists('python3') ? undefined : 'python3',
}

/** Runs an example in its own process, with only the variables that its README names. */
const run = (example: Example, companyKey = key, env: Record<string, string> = {}) =>
  new Promise<{ code: number | null; output: string; errors: string }>((resolve) => {
    const { command, path } = examples[example]
    const child = spawn(command, [fileURLToPath(new URL(`../../examples/${path}`, import.meta.url)), companyKey], {
      env: {
        PATH: process.env['PATH'],
        ...{ BROKER_URL: service.url, BROKER_API_KEY: service.apiKey, QUICKBOOKS_API: api.url },
        ...env,
      },
    })
    let [output, errors] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.once('close', (code) => resolve({ code, output, errors }))
  })

const secrets = async () => {
  const token = await (await service.api(`/api/token/${key}`)).json()
  return [service.apiKey, token.access_token]
}

describe.each(ALL)('the %s example', (example) => {
  const name = missing[example] ? ` (skipped: ${missing[example]} is not installed)` : ''
  const test = it.skipIf(missing[example])

  test(`asks QuickBooks with the company’s token${name}`, async () => {
    const { code, output, errors } = await run(example)
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    expect(JSON.parse(output)).toEqual({ CompanyInfo: { CompanyName: 'Beach Blend' } })
    expect(api.statuses).toEqual([200])
  })

  test(`says what to do where the company is not connected${name}`, async () => {
    const { code, output, errors } = await run(example, 'unknown')
    expect({ code, output }).toEqual({ code: 1, output: '' })
    expect(errors).toContain('Connect it at /oauth/start/')
  })

  test(`shows no secret where the key is wrong or QuickBooks refuses${name}`, async () => {
    const wrong = await run(example, key, { BROKER_API_KEY: 'a-wrong-key' })
    expect(wrong.code).not.toBe(0)
    api.refuse(2)
    const refused = await run(example)
    expect(refused.code).not.toBe(0)
    const shown = [wrong, refused].map(({ output, errors }) => output + errors).join()
    for (const secret of ['a-wrong-key', ...(await secrets())]) expect(shown).not.toContain(secret)
  })
})

describe.each(WITH_REFRESH)('the %s example', (example) => {
  const name = missing[example] ? ` (skipped: ${missing[example]} is not installed)` : ''
  const test = it.skipIf(missing[example])

  test(`refreshes once on 401 and asks again${name}`, async () => {
    api.refuse(1)
    expect(await run(example)).toMatchObject({ code: 0, errors: '' })
    expect(api.statuses).toEqual([401, 200])
    expect((await service.intuit.state()).counts.refresh).toBe(1)
  })

  test(`reads what another caller has refreshed in the meantime${name}`, async () => {
    api.refuse(1, () => service.api(`/api/token/${key}/refresh`, { method: 'POST' }))
    expect(await run(example)).toMatchObject({ code: 0, errors: '' })
    expect(api.statuses).toEqual([401, 200])
    expect((await service.intuit.state()).counts.refresh).toBe(1)
  })

  test(`tries no third time${name}`, async () => {
    api.refuse(3)
    expect((await run(example)).code).toBe(1)
    expect(api.statuses).toEqual([401, 401])
    expect((await service.intuit.state()).counts.refresh).toBe(1)
  })
})

describe('the shell example', () => {
  it.skipIf(missing.shell)('puts no secret on a command line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'broker-'))
    const log = join(folder, 'arguments')
    writeFileSync(join(folder, 'curl'), `#!/bin/sh\nprintf '%s\\n' "$@" >> '${log}'\nPATH=$REAL_PATH exec curl "$@"\n`)
    chmodSync(join(folder, 'curl'), 0o755)
    const path = process.env['PATH'] ?? ''
    const { code } = await run('shell', key, { PATH: `${folder}:${path}`, REAL_PATH: path })
    expect(code).toBe(0)
    const seen = readFileSync(log, 'utf8')
    expect(seen).toContain('/companyinfo/')
    for (const secret of await secrets()) expect(seen).not.toContain(secret)
  })
})
