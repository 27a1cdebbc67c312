import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { Problem } from '../../src/problem.ts'

const KEY = `local:${btoa(String.fromCharCode(...new Uint8Array(32)))}`
const whole = {
  API_KEY: 'the-key',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'aws-secret',
  DYNAMODB_TABLE: 'connections',
  QUICKBOOKS_CLIENT_ID: 'production-id',
  QUICKBOOKS_CLIENT_SECRET: 'production-secret',
  QUICKBOOKS_SANDBOX_CLIENT_ID: 'sandbox-id',
  QUICKBOOKS_SANDBOX_CLIENT_SECRET: 'sandbox-secret',
  QUICKBOOKS_REDIRECT_URI: 'https://broker.example/oauth/callback',
}
type Part = keyof ReturnType<typeof readConfig>

const findFault = (part: Part, change: Record<string, unknown>) => {
  try {
    readConfig({ ...whole, ...change })[part]()
  } catch (error) {
    if (error instanceof Problem) return { code: error.code, detail: error.message }
  }
  return undefined
}

describe('configuration', () => {
  it('needs the documented variables and no more', () => {
    const config = readConfig(whole)
    expect(config.access()).toEqual({ apiKey: 'the-key', keys: [], queryKeysAllowed: true })
    expect(config.storage().endpoint).toBe('https://dynamodb.us-east-1.amazonaws.com/')
    expect(config.authorization()).toEqual({
      redirectUri: 'https://broker.example/oauth/callback',
      scope: 'com.intuit.quickbooks.accounting',
      ...{ asksForIdToken: false, usesPkce: false },
      authorizationEndpoint: 'https://appcenter.intuit.com/connect/oauth2',
      stateTtlSeconds: 600,
    })
    expect(config.exchange()).toEqual({ tokenEndpoint: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer' })
    expect(config.freshness()).toEqual({ marginSeconds: 300 })
    expect(config.tokenCache()).toEqual({ cacheSeconds: 10 })
    expect(config.production()).toEqual({ clientId: 'production-id', clientSecret: 'production-secret' })
    expect(config.sandbox()).toEqual({ clientId: 'sandbox-id', clientSecret: 'sandbox-secret' })
  })

  it('ignores unknown variables and bindings', () => {
    expect(readConfig({ ...whole, RATE_LIMITER: { limit() {} }, OTHER: '1' }).access().apiKey).toBe('the-key')
  })

  it('names every faulty variable of a part at once, and no value', () => {
    const fault = findFault('storage', {
      AWS_REGION: 'not a region!',
      AWS_SECRET_ACCESS_KEY: undefined,
      DYNAMODB_TABLE: '',
    })
    expect(fault?.code).toBe('configuration_error')
    for (const name of ['AWS_REGION', 'AWS_SECRET_ACCESS_KEY', 'DYNAMODB_TABLE']) expect(fault?.detail).toContain(name)
    expect(fault?.detail).not.toContain('not a region!')
  })

  it('does not let a fault in one part affect the others', () => {
    const config = readConfig({ ...whole, QUICKBOOKS_CLIENT_SECRET: undefined })
    expect(() => config.production()).toThrow('QUICKBOOKS_CLIENT_SECRET is missing')
    expect(config.sandbox().clientId).toBe('sandbox-id')
  })

  const malformed: [Part, string, unknown][] = [
    ['access', 'API_KEY', ''],
    ['access', 'API_KEY_IN_QUERY', 'no'],
    ['storage', 'AWS_ACCESS_KEY_ID', undefined],
    ['storage', 'DYNAMODB_ENDPOINT', 'nonsense'],
    ['storage', 'DYNAMODB_ENDPOINT', 'ftp://localhost:8000'],
    ['storage', 'DYNAMODB_ENDPOINT', 'https://user:password@localhost'],
    ['readRegions', 'DYNAMODB_READ_REGIONS', 'Ireland'],
    ['readRegions', 'DYNAMODB_READ_REGIONS', 'eu-west-1,'],
    ['readRegions', 'DYNAMODB_READ_REGIONS', 'eu-west-1;sa-east-1'],
    ['readRegions', 'DYNAMODB_READ_REGIONS', 'eu-west-1=ftp://localhost:8000'],
    ['readRegions', 'DYNAMODB_READ_REGIONS', 'eu-west-1=https://user:password@localhost'],
    ['authorization', 'QUICKBOOKS_REDIRECT_URI', undefined],
    ['authorization', 'QUICKBOOKS_REDIRECT_URI', '/oauth/callback'],
    ['authorization', 'QUICKBOOKS_REDIRECT_URI', 'http://broker.example/oauth/callback'],
    ['authorization', 'QUICKBOOKS_SCOPES', 'two  blanks'],
    ['authorization', 'INTUIT_AUTHORIZATION_ENDPOINT', 'http://intuit.example/connect'],
    ['authorization', 'OAUTH_STATE_TTL_SECONDS', '0'],
    ['authorization', 'OAUTH_STATE_TTL_SECONDS', 'ten'],
    ['exchange', 'INTUIT_TOKEN_ENDPOINT', 'javascript:alert(1)'],
    ['freshness', 'TOKEN_REFRESH_MARGIN_SECONDS', '-1'],
    ['freshness', 'TOKEN_REFRESH_MARGIN_SECONDS', '5 minutes'],
    ['freshness', 'TOKEN_REFRESH_MARGIN_SECONDS', '1801'],
    ['tokenCache', 'TOKEN_CACHE_SECONDS', '-1'],
    ['exchange', 'TOKEN_ENCRYPTION_KEYS', 'no-key'],
    ['exchange', 'TOKEN_ENCRYPTION_KEYS', `${KEY},${KEY}`],
    ['exchange', 'TOKEN_ENCRYPTION_KEYS', 'a:dG9vIHNob3J0'],
    ['production', 'QUICKBOOKS_CLIENT_ID', undefined],
    ['sandbox', 'QUICKBOOKS_SANDBOX_CLIENT_SECRET', undefined],
  ]
  it.each(malformed)('of part %s refuses %s = %j, by its name', (part, name, value) => {
    expect(findFault(part, { [name]: value })?.detail).toContain(name)
  })

  it('allows http for a loopback authorization server, as a stand-in has', () => {
    for (const origin of ['http://localhost:9000', 'http://127.0.0.1:9000', 'http://[::1]:9000']) {
      expect(findFault('exchange', { INTUIT_TOKEN_ENDPOINT: `${origin}/token` })).toBeUndefined()
    }
    expect(findFault('exchange', { INTUIT_TOKEN_ENDPOINT: 'http://localhost.example/token' })).toBeDefined()
  })

  it('reads the regions of replicas, each with its own endpoint unless another is given', () => {
    const env = { ...whole, DYNAMODB_READ_REGIONS: 'eu-west-1, ap-southeast-1=http://127.0.0.1:8001' }
    expect(readConfig(env).readRegions()).toEqual([
      { region: 'eu-west-1', endpoint: 'https://dynamodb.eu-west-1.amazonaws.com/' },
      { region: 'ap-southeast-1', endpoint: 'http://127.0.0.1:8001' },
    ])
    expect(readConfig(whole).readRegions()).toEqual([])
  })

  it('reads several encryption keys in their order', () => {
    const env = { ...whole, TOKEN_ENCRYPTION_KEYS: `${KEY}, older${KEY}` }
    const bytes = new Uint8Array(32)
    const keys = [
      { kid: 'local', bytes },
      { kid: 'olderlocal', bytes },
    ]
    expect(readConfig(env).encryptionKeys()).toEqual(keys)
    expect(() => readConfig(env).exchange()).not.toThrow()
    expect(readConfig(whole).encryptionKeys()).toEqual([])
  })
})
