import { createDecipheriv } from 'node:crypto'
import fc from 'fast-check'
import { CompactEncrypt, decodeProtectedHeader } from 'jose'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import type { TokenName } from '../../src/broker/ports/crypto.ts'
import type { SymmetricKey } from '../../src/crypto/key-ring.ts'
import { createTokenVault, findEncryptionKeyId } from '../../src/crypto/token-vault.ts'
import { Problem } from '../../src/problem.ts'
import fixture from './fixtures/stored-values.json' with { type: 'json' }

const PREFIX = 'sealed:v1:'
const TOKEN = `eyJhbGciOiJkaXIi${'x'.repeat(1084)}`
const key = (kid: string, byte: number): SymmetricKey => ({ kid, bytes: new Uint8Array(32).fill(byte) })
const [FIRST, SECOND, FOREIGN] = [key('2026-05', 1), key('2025-11', 2), key('2026-05', 3)]

const tokenName = v.picklist(['access_token', 'refresh_token'])

const createVault = (...keys: SymmetricKey[]) =>
  createTokenVault(
    () => keys,
    () => undefined,
  )
const vault = createVault(FIRST, SECOND)
const encrypt = (token = TOKEN, by = vault) => by.encrypt('beach-blend', 'access_token', token)

/** The detail of the problem that decryption throws; fails if the value is decrypted. */
const reason = async (stored: string, by = vault, companyKey = 'beach-blend', name: TokenName = 'access_token') => {
  const decrypted = await by.decrypt(companyKey, name, stored).catch((error: unknown) => error)
  if (!(decrypted instanceof Problem)) throw new Error('It was decrypted, or failed otherwise.', { cause: decrypted })
  expect(decrypted.code).toBe('sealed_token_unreadable')
  return decrypted.message
}

/** base64url has more than one spelling of the same bytes: a changed character may change nothing. */
const expectUndamagedOrRefused = async (stored: string, token: string) => {
  const decrypted = await vault.decrypt('beach-blend', 'access_token', stored).catch((error: unknown) => error)
  if (decrypted instanceof Problem) expect(decrypted.code).toBe('sealed_token_unreadable')
  else expect(decrypted).toBe(token)
}

const header = { alg: 'dir', enc: 'A256GCM', kid: FIRST.kid, sub: 'beach-blend', typ: 'access_token' }
const byJose = async (protectedHeader: Record<string, string>, bytes = FIRST.bytes, text = TOKEN) => {
  const { alg = 'dir', enc = 'A256GCM', ...more } = protectedHeader
  const encryption = new CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader({ alg, enc, ...more })
  return PREFIX + (await encryption.encrypt(bytes))
}

describe('encryption', () => {
  it('decrypts what it encrypted, and never encrypts twice to the same value', async () => {
    const [once, twice] = [await encrypt(), await encrypt()]
    expect(once).not.toBe(twice)
    expect(once).not.toContain(TOKEN.slice(0, 20))
    expect(await vault.decrypt('beach-blend', 'access_token', once)).toBe(TOKEN)
  })

  it('names its key, its record and its attribute in the protected header', async () => {
    const stored = await encrypt()
    expect(stored.startsWith(PREFIX)).toBe(true)
    expect(decodeProtectedHeader(stored.slice(PREFIX.length))).toEqual(header)
    expect(findEncryptionKeyId(stored)).toBe(FIRST.kid)
  })

  it('is AES-256-GCM over the header as RFC 7516 says, as node:crypto reads it', async () => {
    const [aad = '', encryptedKey, iv = '', ciphertext = '', tag = ''] = (await encrypt())
      .slice(PREFIX.length)
      .split('.')
    const decipher = createDecipheriv('aes-256-gcm', FIRST.bytes, Buffer.from(iv, 'base64url'))
    decipher.setAAD(Buffer.from(aad)).setAuthTag(Buffer.from(tag, 'base64url'))
    expect(decipher.update(ciphertext, 'base64url', 'utf8') + decipher.final('utf8')).toBe(TOKEN)
    expect(encryptedKey).toBe('')
  })

  it.each(fixture.storedTokens)('decrypts the stored $attribute of $companyKey', async (one) => {
    const { companyKey, attribute, token, stored } = one
    const keys = fixture.keys.map(({ kid, base64 }) => ({ kid, bytes: new Uint8Array(Buffer.from(base64, 'base64')) }))
    expect(await createVault(...keys).decrypt(companyKey, v.parse(tokenName, attribute), stored)).toBe(token)
    expect(findEncryptionKeyId(stored)).toBe(one.kid)
  })

  it('decrypts a header whose members are in another order', async () => {
    const { kid, sub, typ } = header
    for (const one of [header, { typ, sub, kid, enc: 'A256GCM', alg: 'dir' }]) {
      expect(await vault.decrypt('beach-blend', 'access_token', await byJose(one))).toBe(TOKEN)
    }
  })

  it('encrypts with the first key and decrypts with all', async () => {
    const older = await encrypt(TOKEN, createVault(SECOND))
    expect(await vault.decrypt('beach-blend', 'access_token', older)).toBe(TOKEN)
    expect(findEncryptionKeyId(await encrypt())).toBe(FIRST.kid)
  })

  it('reads a plain token as it is, even one that is a JWE itself', async () => {
    const jwe = (await byJose(header)).slice(PREFIX.length)
    for (const plain of [TOKEN, jwe]) expect(await vault.decrypt('beach-blend', 'access_token', plain)).toBe(plain)
  })

  it('stores tokens plain if no key is configured, and warns', async () => {
    let warnings = 0
    const plain = createTokenVault(
      () => [],
      () => warnings++,
    )
    expect(await encrypt(TOKEN, plain)).toBe(TOKEN)
    expect(warnings).toBe(1)
  })

  it('imports its keys once', async () => {
    let readings = 0
    const one = createTokenVault(
      () => {
        readings++
        return [FIRST]
      },
      () => undefined,
    )
    for (let time = 0; time < 3; time++) await one.decrypt('beach-blend', 'access_token', await encrypt(TOKEN, one))
    expect(readings).toBe(1)
  })
})

describe('an encrypted value', () => {
  it('is decrypted by its own header, after any number of other values', async () => {
    const stored = await Promise.all(
      Array.from({ length: 1_100 }, (_, index) => vault.encrypt(`company-${index}`, 'access_token', `token ${index}`)),
    )
    for (let time = 0; time < 2; time++) {
      for (const [index, value] of stored.entries()) {
        expect(await vault.decrypt(`company-${index}`, 'access_token', value)).toBe(`token ${index}`)
      }
    }
    const [first = '', second = ''] = stored
    expect(await reason(first, vault, 'company-1')).toContain('copied from elsewhere')
    expect(await reason(second, vault, 'company-0')).toContain('copied from elsewhere')
  })

  it('is refused in another record or another attribute', async () => {
    const stored = await encrypt()
    expect(await reason(stored, vault, 'other')).toContain('copied from elsewhere')
    expect(await reason(stored, vault, 'beach-blend', 'refresh_token')).toContain('copied from elsewhere')
  })

  it('says which key is missing', async () => {
    for (const by of [createVault(SECOND), createVault()]) {
      const detail = await reason(await encrypt(), by)
      expect(detail).toContain(`the key ${FIRST.kid} that encrypted it`)
      expect(detail).toContain('TOKEN_ENCRYPTION_KEYS')
    }
  })

  it('is refused with another key of the same name', async () => {
    await reason(await encrypt(), createVault(FOREIGN))
  })

  it('does not show the id of an unknown key if it has not the format of a key id', async () => {
    const detail = await reason(await byJose({ ...header, kid: '<script>' }))
    expect(detail).not.toContain('script')
  })

  const lies: [string, Record<string, string>][] = [
    ['another alg', { ...header, alg: 'A256KW' }],
    ['another enc of the same length of key', { ...header, enc: 'A128CBC-HS256' }],
    ['no kid', { alg: 'dir', enc: 'A256GCM', sub: 'beach-blend', typ: 'access_token' }],
    ['no record', { alg: 'dir', enc: 'A256GCM', kid: FIRST.kid, typ: 'access_token' }],
    ['no attribute', { alg: 'dir', enc: 'A256GCM', kid: FIRST.kid, sub: 'beach-blend' }],
    ['a member that we do not know', { ...header, cty: 'JWT' }],
  ]
  it.each(lies)('with %s is refused, whoever made it', async (_, protectedHeader) => {
    await reason(await byJose(protectedHeader))
  })

  it.each(['none', 'NONE', 'dir ', 'RSA-OAEP', ''])('whose header claims alg %j is refused', async (alg) => {
    const claim = Buffer.from(JSON.stringify({ ...header, alg })).toString('base64url')
    await reason((await encrypt()).replace(/:[\w-]+\.\./, `:${claim}..`))
  })

  it.each([
    ['nothing', ''],
    ['no JWE', 'not stored at all'],
    ['four parts', 'eyJ9...a'],
    ['six parts', 'eyJ9..a.b.c.d'],
    ['an encrypted key', 'eyJ9.AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA'],
    ['a header that is no JSON', 'AAAA..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA'],
    ['a header of null', 'bnVsbA..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA'],
    ['400 KB', `${'A'.repeat(200_000)}..AAAAAAAAAAAAAAAA.${'A'.repeat(200_000)}.AAAAAAAAAAAAAAAAAAAAAA`],
    ['400 KB of dots', '.'.repeat(400_000)],
  ])('of %s is refused', async (_, text) => {
    await reason(PREFIX + text)
  })

  it('never decrypts to another token with any one character changed', async () => {
    const stored = await encrypt('a short token')
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n'
    for (let at = PREFIX.length; at < stored.length; at++) {
      for (const character of alphabet) {
        if (character === stored[at]) continue
        await expectUndamagedOrRefused(stored.slice(0, at) + character + stored.slice(at + 1), 'a short token')
      }
    }
  })

  it('is refused if it is truncated, or combined from two values', async () => {
    const [one, two] = [await encrypt('first token'), await encrypt('other token')]
    for (let at = PREFIX.length; at < one.length; at++) await reason(one.slice(0, at))
    await reason(`${one}.`)
    await reason(`${one}A`)
    const parts = [one.split('.'), two.split('.')]
    for (const at of [2, 3, 4]) await reason((parts[0] ?? []).with(at, parts[1]?.[at] ?? '').join('.'))
  })
})

const companyKey = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/)
const name = fc.constantFrom<TokenName>('access_token', 'refresh_token')
const token = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 300,
})

describe('any token, any damage', () => {
  it('is decrypted only for its own record and attribute', async () => {
    await fc.assert(
      fc.asyncProperty(companyKey, companyKey, name, name, token, async (mine, theirs, myName, theirName, text) => {
        const stored = await vault.encrypt(mine, myName, text)
        expect(await vault.decrypt(mine, myName, stored)).toBe(text)
        if (mine !== theirs || myName !== theirName) await reason(stored, vault, theirs, theirName)
      }),
      { numRuns: 5_000 },
    )
  })

  it('never decrypts to another token and never fails otherwise, whatever is changed, cut, put in or swapped', async () => {
    const tokens = ['short', TOKEN, 'RT1-39-H3-x']
    const stored = await Promise.all(tokens.map((text) => encrypt(text)))
    const at = fc.nat()
    const damage = fc.oneof(
      fc.record({ kind: fc.constant('bit' as const), at, with: fc.integer({ min: 0, max: 6 }).map((bit) => 1 << bit) }),
      fc.record({ kind: fc.constant('cut' as const), at, with: fc.nat(40) }),
      fc.record({
        kind: fc.constant('insert' as const),
        at,
        with: fc.string({ unit: 'binary', minLength: 1, maxLength: 9 }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...stored),
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        async (value, all) => {
          let body = value.slice(PREFIX.length)
          for (const one of all) {
            const place = one.at % Math.max(1, body.length)
            const [before, after] = [body.slice(0, place), body.slice(place)]
            if (one.kind === 'insert') body = before + one.with + after
            else if (one.kind === 'cut') body = before + after.slice(one.with + 1)
            else body = before + String.fromCharCode(after.charCodeAt(0) ^ one.with) + after.slice(1)
          }
          fc.pre(PREFIX + body !== value)
          await expectUndamagedOrRefused(PREFIX + body, tokens[stored.indexOf(value)] ?? '')
        },
      ),
      { numRuns: 20_000 },
    )
  })

  it('never decrypts what is made up, with headers of this service before it', async () => {
    const segment = fc.oneof(fc.base64String({ maxLength: 60 }), fc.string({ maxLength: 30 }))
    const headers = fc
      .record({
        alg: fc.constantFrom('dir', 'none', 'A256KW', 'RSA-OAEP', 'PBES2-HS256+A128KW'),
        enc: fc.constantFrom('A256GCM', 'A128GCM', 'A128CBC-HS256'),
        kid: fc.constantFrom(FIRST.kid, SECOND.kid, 'unknown', '__proto__'),
        sub: fc.constantFrom('beach-blend', 'other'),
        typ: fc.constantFrom('access_token', 'refresh_token'),
        zip: fc.constantFrom(undefined, 'DEF'),
      })
      .map((claims) => Buffer.from(JSON.stringify(claims)).toString('base64url'))
    await fc.assert(
      fc.asyncProperty(fc.oneof(headers, segment), fc.array(segment, { maxLength: 5 }), async (first, more) => {
        await reason(PREFIX + [first, ...more].join('.'))
      }),
      { numRuns: 10_000 },
    )
  })
})
