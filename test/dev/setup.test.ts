import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkConfiguration } from '../../dev/doctor/configuration.ts'
import { toRedirectUri } from '../../dev/setup/questions.ts'
import { findConfigurationFaults, readConfig } from '../../src/config/config.ts'
import { runCommand } from './run-command.ts'

const OPTIONS = {
  '--host': 'broker.acme.test',
  '--region': 'us-east-1',
  '--table': 'quickbooks-connections',
  '--access-key-id': 'AKIDEXAMPLE',
  '--client-id': 'production-id',
}
const SECRETS = { AWS_SECRET_ACCESS_KEY: 'aws-secret-of-the-test', QUICKBOOKS_CLIENT_SECRET: 'app-secret-of-the-test' }

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'broker setup-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const freshPath = () => join(folder, `${++files}.vars`)
const setUp = (
  path: string,
  changes: Record<string, string | undefined> = {},
  env: Record<string, string> = SECRETS,
) => {
  const options = Object.entries({ ...OPTIONS, ...changes, '--out': path })
  const args = options.flatMap(([option, value]) => (value === undefined ? [] : [option, value]))
  return runCommand('setup.ts', env, args)
}
const read = (path: string) => parseEnv(readFileSync(path, 'utf8'))

describe('npm run setup', () => {
  it('writes a configuration that the Worker accepts, and the doctor has no warnings', async () => {
    const path = freshPath()
    const { code, output } = await setUp(path, { '--sandbox-client-id': 'sandbox-id', '--sandbox-client-secret': 's3' })
    expect(code, output).toBe(0)
    const variables = read(path)
    expect(findConfigurationFaults(readConfig(variables))).toEqual([])
    expect(checkConfiguration(variables, variables).filter(({ status }) => status !== 'ok')).toEqual([])
    expect(variables).toMatchObject({
      ...{ START_LINKS: 'signed', BIND_BROWSER: 'true', API_KEY_IN_QUERY: 'false', ...SECRETS },
      QUICKBOOKS_REDIRECT_URI: 'https://broker.acme.test/oauth/callback',
      QUICKBOOKS_SCOPES: 'com.intuit.quickbooks.accounting openid',
    })
    for (const name of ['TOKEN_ENCRYPTION_KEYS', 'START_LINK_KEYS', 'API_KEY_SIGNING_KEYS'])
      expect(variables[name]).toMatch(/^\d{4}-\d{2}:[A-Za-z0-9+/]{43}=$/)
  })

  it('creates different keys for every purpose and every run', async () => {
    const paths = [freshPath(), freshPath()]
    for (const path of paths) expect((await setUp(path)).code).toBe(0)
    const names = ['API_KEY', 'TOKEN_ENCRYPTION_KEYS', 'START_LINK_KEYS', 'API_KEY_SIGNING_KEYS']
    const keys = paths.flatMap((path) => names.map((name) => read(path)[name]))
    expect(new Set(keys).size).toBe(keys.length)
    for (const path of paths) expect(read(path)['API_KEY']?.length).toBeGreaterThanOrEqual(43)
  })

  it('writes a file that only its owner can read, and shows no secret', async () => {
    const path = freshPath()
    const { output } = await setUp(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const { API_KEY, TOKEN_ENCRYPTION_KEYS, START_LINK_KEYS, API_KEY_SIGNING_KEYS } = read(path)
    const secrets = [API_KEY, TOKEN_ENCRYPTION_KEYS, START_LINK_KEYS, API_KEY_SIGNING_KEYS, ...Object.values(SECRETS)]
    for (const secret of secrets) expect(output).not.toContain(secret)
  })

  it('never changes an existing file, and never follows a link', async () => {
    const existing = freshPath()
    writeFileSync(existing, 'TOKEN_ENCRYPTION_KEYS=the-only-copy')
    const refused = await setUp(existing)
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining('exists and was not changed')])
    expect(readFileSync(existing, 'utf8')).toBe('TOKEN_ENCRYPTION_KEYS=the-only-copy')
    const link = freshPath()
    symlinkSync(join(folder, 'elsewhere'), link)
    expect((await setUp(link)).code).toBe(1)
    expect(readdirSync(folder)).not.toContain('elsewhere')
  })

  it.each([
    ['a host with a scheme', { '--host': 'https://broker.acme.test' }, '--host must be a host name'],
    ['a host with a path', { '--host': 'broker.acme.test/oauth' }, '--host must be a host name'],
    ['a host with a port', { '--host': 'broker.acme.test:8443' }, '--host must be a host name'],
    ['a host without a domain', { '--host': 'broker' }, '--host must be a host name'],
    ['an IP address', { '--host': '192.0.2.1' }, '--host is an IP address'],
    ['this machine', { '--host': 'localhost' }, '--host is this machine'],
    ['no region', { '--region': undefined }, 'Give --region'],
    ['a region that does not exist', { '--region': 'us-east' }, '--region'],
    ['a table name that DynamoDB rejects', { '--table': 'my table' }, '--table'],
    ['a client id without its secret', { '--sandbox-client-id': 'id' }, 'QUICKBOOKS_SANDBOX_CLIENT_ID'],
    ['no app at all', { '--client-id': undefined }, 'QUICKBOOKS_CLIENT_ID'],
    ['a client id with a blank', { '--client-id': 'two words' }, '--client-id'],
    ['an option that it does not know', { '--regoin': 'us-east-1' }, 'Unknown option'],
  ])('writes nothing for %s', async (_, changes, fault) => {
    const path = freshPath()
    const { code, output } = await setUp(path, changes)
    expect(code).toBe(1)
    expect(output).toContain(fault)
    for (const secret of Object.values(SECRETS)) expect(output).not.toContain(secret)
    expect(() => statSync(path)).toThrow()
  })

  it('reads answers from the environment, too', async () => {
    const path = freshPath()
    const env = { ...SECRETS, AWS_REGION: 'eu-central-1', DYNAMODB_TABLE: 'other-table' }
    expect((await setUp(path, { '--region': undefined, '--table': undefined }, env)).code).toBe(0)
    expect(read(path)).toMatchObject({ AWS_REGION: 'eu-central-1', DYNAMODB_TABLE: 'other-table' })
  })

  it('writes a file that creates start links', async () => {
    const path = freshPath()
    await setUp(path)
    const { output } = await runCommand('start-link.ts', {}, ['--vars', path, '--company-key', 'beach-blend'])
    expect(output).toMatch(/^https:\/\/broker\.acme\.test\/oauth\/start\/beach-blend\?exp=/)
  })
})

describe('the redirect URI of a host', () => {
  it('is in lower case and ends in the callback path', () => {
    expect(toRedirectUri('Broker.Acme.Test')).toBe('https://broker.acme.test/oauth/callback')
  })
})
