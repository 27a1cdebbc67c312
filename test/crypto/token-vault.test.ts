import fc from 'fast-check'
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import type { TokenName } from '../../src/broker/ports.ts'
import { bytesOfBase64Url } from '../../src/crypto/bytes.ts'
import { decryptJwe, importKey } from '../../src/crypto/jwe.ts'
import { createTokenVault, type EncryptionKey, encryptionKeyId } from '../../src/crypto/token-vault.ts'
import { Problem } from '../../src/problem.ts'

const MARK = 'sealed:v1:'
const TOKEN = `eyJhbGciOiJkaXIi${'x'.repeat(1084)}`
const key = (kid: string, byte: number): EncryptionKey => ({ kid, bytes: new Uint8Array(32).fill(byte) })
const [FIRST, SECOND, FOREIGN] = [key('2026-05', 1), key('2025-11', 2), key('2026-05', 3)]

const vaultOf = (...keys: EncryptionKey[]) =>
  createTokenVault(
    () => keys,
    () => undefined,
  )
const vault = vaultOf(FIRST, SECOND)
const seal = (token = TOKEN, by = vault) => by.encrypt('beach-blend', 'access_token', token)

/** The detail of the problem that opening throws; fails if the value opens. */
const reason = async (stored: string, by = vault, companyKey = 'beach-blend', name: TokenName = 'access_token') => {
  const opened = await by.decrypt(companyKey, name, stored).catch((error: unknown) => error)
  if (!(opened instanceof Problem)) throw new Error('It opened, or failed otherwise.', { cause: opened })
  expect(opened.code).toBe('sealed_token_unreadable')
  return opened.message
}

const header = { alg: 'dir', enc: 'A256GCM', kid: FIRST.kid, sub: 'beach-blend', typ: 'access_token' }
const byJose = async (protectedHeader: Record<string, string>, bytes = FIRST.bytes, text = TOKEN) => {
  const { alg = 'dir', enc = 'A256GCM', ...more } = protectedHeader
  const encryption = new CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader({ alg, enc, ...more })
  return MARK + (await encryption.encrypt(bytes))
}

describe('sealing', () => {
  it('gives back what it sealed, and never seals twice alike', async () => {
    const [once, twice] = [await seal(), await seal()]
    expect(once).not.toBe(twice)
    expect(once).not.toContain(TOKEN.slice(0, 20))
    expect(await vault.decrypt('beach-blend', 'access_token', once)).toBe(TOKEN)
  })

  it('names its key, its record and its attribute in the protected header', async () => {
    const sealed = await seal()
    expect(sealed.startsWith(MARK)).toBe(true)
    expect(decodeProtectedHeader(sealed.slice(MARK.length))).toEqual(header)
    expect(encryptionKeyId(sealed)).toBe(FIRST.kid)
  })

  it('seals what another JOSE implementation opens', async () => {
    const { plaintext } = await compactDecrypt((await seal()).slice(MARK.length), FIRST.bytes)
    expect(new TextDecoder().decode(plaintext)).toBe(TOKEN)
  })

  it('opens what another JOSE implementation sealed, in whatever order its header is', async () => {
    const { kid, sub, typ } = header
    for (const one of [header, { typ, sub, kid, enc: 'A256GCM', alg: 'dir' }]) {
      expect(await vault.decrypt('beach-blend', 'access_token', await byJose(one))).toBe(TOKEN)
    }
  })

  it('decrypts the A256GCM example of RFC 7516 appendix A.1', async () => {
    const contentKey = [
      ...[177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246],
      ...[138, 7, 110, 91, 112, 46, 34, 105, 47, 130, 203, 46, 122, 234, 64, 252],
    ]
    const ciphertext = '5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A'
    const sealed = new Uint8Array([...bytesOfBase64Url(ciphertext), ...bytesOfBase64Url('XFBoMYUZodetZdvTiFvSkQ')])
    const jwe = { header: { ...header, alg: 'dir', enc: 'A256GCM' } as const, iv: bytesOfBase64Url('48V1_ALb6US04U3b') }
    const aad = 'eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ'
    const text = await decryptJwe(await importKey(new Uint8Array(contentKey)), { ...jwe, aad, sealed })
    expect(text).toBe('The true sign of intelligence is not knowledge but imagination.')
  })

  it('seals with the first key and opens with all', async () => {
    const older = await seal(TOKEN, vaultOf(SECOND))
    expect(await vault.decrypt('beach-blend', 'access_token', older)).toBe(TOKEN)
    expect(encryptionKeyId(await seal())).toBe(FIRST.kid)
  })

  it('reads a plain token as it is, even one that is a JWE itself', async () => {
    const jwe = (await byJose(header)).slice(MARK.length)
    for (const plain of [TOKEN, jwe]) expect(await vault.decrypt('beach-blend', 'access_token', plain)).toBe(plain)
  })

  it('stores tokens as they are where no key is configured, and says so', async () => {
    let warnings = 0
    const plain = createTokenVault(
      () => [],
      () => warnings++,
    )
    expect(await seal(TOKEN, plain)).toBe(TOKEN)
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
    for (let time = 0; time < 3; time++) await one.decrypt('beach-blend', 'access_token', await seal(TOKEN, one))
    expect(readings).toBe(1)
  })
})

describe('a sealed value', () => {
  it('opens by its own header, however many others came before it', async () => {
    const sealed = await Promise.all(
      Array.from({ length: 1_100 }, (_, index) => vault.encrypt(`company-${index}`, 'access_token', `token ${index}`)),
    )
    for (let time = 0; time < 2; time++) {
      for (const [index, value] of sealed.entries()) {
        expect(await vault.decrypt(`company-${index}`, 'access_token', value)).toBe(`token ${index}`)
      }
    }
    const [first = '', second = ''] = sealed
    expect(await reason(first, vault, 'company-1')).toContain('copied from elsewhere')
    expect(await reason(second, vault, 'company-0')).toContain('copied from elsewhere')
  })

  it('does not open in another record or another attribute', async () => {
    const sealed = await seal()
    expect(await reason(sealed, vault, 'other')).toContain('copied from elsewhere')
    expect(await reason(sealed, vault, 'beach-blend', 'refresh_token')).toContain('copied from elsewhere')
  })

  it('says which key is missing', async () => {
    for (const by of [vaultOf(SECOND), vaultOf()]) {
      const detail = await reason(await seal(), by)
      expect(detail).toContain(`the key ${FIRST.kid} that sealed it`)
      expect(detail).toContain('TOKEN_ENCRYPTION_KEYS')
    }
  })

  it('does not open with another key of the same name', async () => {
    await reason(await seal(), vaultOf(FOREIGN))
  })

  it('does not repeat an unknown key’s name that is none', async () => {
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
  it.each(lies)('with %s does not open, whoever made it', async (_, protectedHeader) => {
    await reason(await byJose(protectedHeader))
  })

  it.each(['none', 'NONE', 'dir ', 'RSA-OAEP', ''])('whose header claims alg %j does not open', async (alg) => {
    const claim = Buffer.from(JSON.stringify({ ...header, alg })).toString('base64url')
    await reason((await seal()).replace(/:[\w-]+\.\./, `:${claim}..`))
  })

  it.each([
    ['nothing', ''],
    ['no JWE', 'not sealed at all'],
    ['four parts', 'eyJ9...a'],
    ['six parts', 'eyJ9..a.b.c.d'],
    ['an encrypted key', 'eyJ9.AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA'],
    ['a header that is no JSON', 'AAAA..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA'],
    ['a header of null', 'bnVsbA..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA'],
    ['400 KB', `${'A'.repeat(200_000)}..AAAAAAAAAAAAAAAA.${'A'.repeat(200_000)}.AAAAAAAAAAAAAAAAAAAAAA`],
    ['400 KB of dots', '.'.repeat(400_000)],
  ])('of %s does not open', async (_, text) => {
    await reason(MARK + text)
  })

  it('does not open with any one character changed', async () => {
    const sealed = await seal('a short token')
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n'
    for (let at = MARK.length; at < sealed.length; at++) {
      for (const character of alphabet) {
        if (character === sealed[at]) continue
        await reason(sealed.slice(0, at) + character + sealed.slice(at + 1))
      }
    }
  })

  it('does not open cut short, lengthened or put together of two', async () => {
    const [one, two] = [await seal('first token'), await seal('other token')]
    for (let at = MARK.length; at < one.length; at++) await reason(one.slice(0, at))
    for (const tail of ['A', '=', '.', '\n', ' ']) await reason(one + tail)
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
  it('opens for its own record and attribute alone', async () => {
    await fc.assert(
      fc.asyncProperty(companyKey, companyKey, name, name, token, async (mine, theirs, myName, theirName, text) => {
        const sealed = await vault.encrypt(mine, myName, text)
        expect(await vault.decrypt(mine, myName, sealed)).toBe(text)
        if (mine !== theirs || myName !== theirName) await reason(sealed, vault, theirs, theirName)
      }),
      { numRuns: 5_000 },
    )
  })

  it('never opens and never fails otherwise, whatever is changed, cut, put in or swapped', async () => {
    const sealed = await Promise.all(['short', TOKEN, 'RT1-39-H3-x'].map((text) => seal(text)))
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
        fc.constantFrom(...sealed),
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        async (value, all) => {
          let body = value.slice(MARK.length)
          for (const one of all) {
            const place = one.at % Math.max(1, body.length)
            const [before, after] = [body.slice(0, place), body.slice(place)]
            if (one.kind === 'insert') body = before + one.with + after
            else if (one.kind === 'cut') body = before + after.slice(one.with + 1)
            else body = before + String.fromCharCode(after.charCodeAt(0) ^ one.with) + after.slice(1)
          }
          fc.pre(MARK + body !== value)
          await reason(MARK + body)
        },
      ),
      { numRuns: 20_000 },
    )
  })

  it('never opens what is made up, headers of ours before it included', async () => {
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
        await reason(MARK + [first, ...more].join('.'))
      }),
      { numRuns: 10_000 },
    )
  })
})
