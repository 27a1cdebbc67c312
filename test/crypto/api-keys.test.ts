import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ApiKey, canAccess, PERMISSIONS, withFullRights } from '../../src/broker/api-client.ts'
import { readConfig } from '../../src/config/config.ts'
import { createApiKeys } from '../../src/crypto/api-keys.ts'
import { Problem } from '../../src/problem.ts'
import { sha256 } from '../support/fixtures.ts'

const NOW = Date.parse('2026-08-01T12:00:00Z')
const entry = (over: Record<string, unknown> = {}) => ({
  ...{ name: 'books', sha256: sha256('the secret'), may: ['token:read'], companies: ['beach-blend'] },
  ...over,
})
const read = (apiKeys: unknown, over: Record<string, string> = {}) =>
  readConfig({ API_KEYS: typeof apiKeys === 'string' ? apiKeys : JSON.stringify(apiKeys), ...over }).access()

/** What a caller is told of a faulty configuration. Fails if there is no fault, or another error. */
const findFault = (apiKeys: unknown, over: Record<string, string> = {}) => {
  try {
    read(apiKeys, over)
  } catch (error) {
    if (error instanceof Problem && error.code === 'configuration_error') return error.message
    throw error
  }
  throw new Error('It was accepted.')
}
const callers = (settings: Parameters<typeof createApiKeys>[0], now: () => number) => {
  const identifyClient = createApiKeys(settings, now)
  return async (apiKey: string | undefined) => (await identifyClient(apiKey)).apiClient
}
const identifyClient = (apiKeys: unknown, over: Record<string, string> = {}, now = NOW) =>
  callers(
    () => read(apiKeys, over),
    () => now,
  )

describe('an API_KEY', () => {
  const countWarnings = async (apiKey: string | undefined) => {
    let warnings = 0
    const identify = createApiKeys(
      () => ({ apiKey, keys: [] }),
      () => NOW,
      () => warnings++,
    )
    for (let time = 0; time < 3; time++) await identify(time === 0 ? 'wrong' : apiKey)
    return warnings
  }

  it.each(['secret', 'a'.repeat(64), 'abababababababababababababababab', 'x7Kp2mQ9vL4nR8tW'])(
    'that is easy to guess is reported once: %s',
    async (apiKey) => {
      expect(await countWarnings(apiKey)).toBe(1)
    },
  )

  it.each([undefined, '0123456789abcdef0123456789abcdef', 'u8Zk2mQ9vL4nR8tWx7Kp2mQ9vL4nR8tW'])(
    'that is not easy to guess, or absent, is not reported: %s',
    async (apiKey) => {
      expect(await countWarnings(apiKey)).toBe(0)
    },
  )
})

describe('API_KEYS', () => {
  it('parses names, digests, permissions, companies and expiry times', () => {
    const [key] = read([entry({ companies: ['beach-blend', 'acme-*'], expires: '2027-01-31' })]).keys
    expect(key).toEqual({
      ...{ name: 'books', may: ['token:read'], companies: ['beach-blend', 'acme-*'] },
      digest: sha256('the secret'),
      expiresAt: Date.parse('2027-01-31T00:00:00Z') / 1000,
    })
  })

  it.each([
    ['no JSON', 'marked', 'API_KEYS must be a JSON array of keys'],
    ['no array', entry(), 'API_KEYS must be a JSON array of keys'],
    ['no key', [], 'API_KEYS must be a JSON array of keys'],
    ['a key that is a text', ['marked'], 'API_KEYS.0 must have name, sha256, may, companies'],
    ['a key that is null', [null], 'API_KEYS.0 must have name'],
    ['a name with a line break', [entry({ name: 'marked\n' })], 'API_KEYS.0.name must be'],
    ['no name', [entry({ name: undefined })], 'API_KEYS.0.name is missing'],
    ['the secret in place of its digest', [entry({ sha256: 'marked' })], 'API_KEYS.0.sha256 must be 64 hexadecimal'],
    ['an unknown right', [entry(), entry({ may: ['token:marked'] })], 'API_KEYS.1.may.0 must be one of token:read'],
    ['rights that are no list', [entry({ may: 'marked' })], 'API_KEYS.0.may must be a list of permissions'],
    ['no right', [entry({ may: [] })], 'API_KEYS.0.may must be a list of permissions'],
    ['no company', [entry({ companies: [] })], 'API_KEYS.0.companies must be a list of company keys'],
    ['an empty company', [entry({ companies: [''] })], 'API_KEYS.0.companies.0 must be a company key'],
    ['an asterisk within', [entry({ companies: ['a', 'a*marked'] })], 'API_KEYS.0.companies.1 must be a company key'],
    ['an end that is no date', [entry({ expires: 'marked' })], 'API_KEYS.0.expires must be a date'],
    ['a day that is not', [entry({ expires: '2027-02-30' })], 'API_KEYS.0.expires must be a date'],
    ['a number for a date', [entry({ expires: 1_790_000_000 })], 'API_KEYS.0.expires must be a date'],
    ['a misspelt end', [entry({ expire: '2027-01-31' })], 'API_KEYS.0 must have name, sha256, may, companies and'],
    ['a member that was pasted', [{ ...entry(), marked: 'marked' }], 'API_KEYS.0 must have name'],
    ['one key twice', [entry(), entry({ name: 'marked' })], 'API_KEYS must hold each key once'],
    [
      'one key twice in other letters',
      [entry(), entry({ sha256: sha256('the secret').toUpperCase() })],
      'each key once',
    ],
  ])('refuses %s, says where, and shows no value', (_, apiKeys, fault) => {
    const detail = findFault(apiKeys)
    expect(detail).toContain(fault)
    expect(detail).not.toContain('marked')
  })

  it('is enough without API_KEY, and the reverse; without both the error names both', () => {
    expect(read([entry()]).apiKey).toBeUndefined()
    expect(findFault('')).toContain('API_KEY is missing, and so is API_KEYS')
  })

  it('throws only configuration_error, and never shows the value', () => {
    const secret = fc.stringMatching(/^SECRET[a-zA-Z0-9]{8}$/)
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        secret,
        fc.constantFrom('token:read', '*', '2027-01-31', null, true, 0, -1, sha256('x')),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(
          fc.oneof(secret, fc.constantFrom('name', 'sha256', 'may', 'companies', 'expires', '__proto__')),
          tie('any'),
          {
            maxKeys: 6,
          },
        ),
      ),
    })).any
    const text = fc.oneof(
      fc.array(value, { maxLength: 3 }).map((keys) => JSON.stringify(keys)),
      value.map((one) => JSON.stringify(one)),
      secret.map((one) => `[{"name": ${one}`),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(text, (apiKeys) => {
        fc.pre(apiKeys !== '')
        expect(findFault(apiKeys)).not.toMatch(/SECRET/)
      }),
      { numRuns: 10_000 },
    )
  })
})

describe('a key', () => {
  it('identifies its API client; an unknown key identifies none', async () => {
    const of = identifyClient([entry()], { API_KEY: 'shared' })
    expect(await of('the secret')).toMatchObject({ name: 'books', may: ['token:read'] })
    expect(await of('shared')).toMatchObject(withFullRights('API_KEY'))
    for (const wrong of ['', undefined, 'the secret ', 'The secret', sha256('the secret'), 'x'.repeat(100_000)]) {
      expect(await of(wrong)).toBeUndefined()
    }
  })

  it('is valid until it expires, to the second', async () => {
    const expires = '2026-08-01T14:00:00+02:00'
    expect(await identifyClient([entry({ expires })], {}, NOW - 1)('the secret')).toBeDefined()
    expect(await identifyClient([entry({ expires })], {}, NOW)('the secret')).toBeUndefined()
  })

  it('expires after any number of valid uses', async () => {
    let time = NOW - 1
    const of = callers(
      () => read([entry({ expires: '2026-08-01T12:00:00Z' })]),
      () => time,
    )
    for (let times = 0; times < 3; times++) expect(await of('the secret')).toBeDefined()
    time = NOW
    for (let times = 0; times < 3; times++) expect(await of('the secret')).toBeUndefined()
  })

  it('stays valid after any number of wrong keys', async () => {
    const of = identifyClient([entry()])
    for (let wrong = 0; wrong < 250; wrong++) {
      expect(await of(`wrong ${wrong}`)).toBeUndefined()
      if (wrong % 50 === 0) expect(await of('the secret')).toMatchObject({ name: 'books' })
    }
    expect(await of('wrong 3')).toBeUndefined()
  })

  it('can be rotated: two keys with one name are both valid', async () => {
    const of = identifyClient([entry({ expires: '2026-08-02' }), entry({ sha256: sha256('the next') })])
    for (const key of ['the secret', 'the next']) expect(await of(key)).toMatchObject({ name: 'books' })
  })

  it.each([['the-shared-one'], ['the-middle-one'], ['the-last-one']])(
    'is its named owner’s where API_KEY is one of API_KEYS: %s',
    async (shared) => {
      const names = ['the-shared-one', 'the-middle-one', 'the-last-one']
      const of = identifyClient(
        names.map((name) => entry({ name, sha256: sha256(name) })),
        { API_KEY: shared },
      )
      for (const name of names) expect((await of(name))?.name).toBe(name)
      expect(await of('wrong')).toBeUndefined()
    },
  )

  it('gives access only if it is the exact text', async () => {
    const of = identifyClient([entry({ sha256: sha256('s'.repeat(43)) })])
    const similarKeys = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.nat(43).map((length) => 's'.repeat(length).slice(0, length)),
      fc
        .tuple(fc.nat(42), fc.string({ minLength: 1, maxLength: 1 }))
        .map(([at, c]) => 's'.repeat(at) + c + 's'.repeat(42 - at)),
    )
    await fc.assert(
      fc.asyncProperty(similarKeys, async (apiKey) => {
        const isRight = apiKey === 's'.repeat(43)
        expect((await of(apiKey)) !== undefined).toBe(isRight)
      }),
      { numRuns: 10_000 },
    )
  })
})

describe('a caller', () => {
  const apiClient = (...companies: string[]): ApiKey => ({
    ...{ name: 'books', may: PERMISSIONS, companies, digest: sha256('the secret'), expiresAt: undefined },
  })

  it('can access the companies of its key, by company key or by prefix', () => {
    const one = apiClient('beach-blend', 'acme-*')
    for (const key of ['beach-blend', 'acme-', 'acme-1']) expect(canAccess(one, key)).toBe(true)
    for (const key of ['beach-blend-2', 'Beach-Blend', 'beach', 'acme', 'xacme-1'])
      expect(canAccess(one, key)).toBe(false)
    expect(canAccess(apiClient('*'), 'anything')).toBe(true)
    expect(canAccess(apiClient(), 'anything')).toBe(false)
  })
})
