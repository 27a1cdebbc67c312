import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose'
import * as v from 'valibot'
import type { TokenName, Vault } from '../broker/ports.ts'
import { Problem } from '../problem.ts'
import { sha256Hex } from './digest.ts'

/** Marks a sealed value: a plain token of Intuit's may look like a JWE itself. */
const MARK = 'sealed:v1:'

/** What the header of every value of ours says, and nothing else: `crit`, `zip` or another `alg` is no value of ours. */
const HEADER = v.strictObject({
  alg: v.literal('dir'),
  enc: v.literal('A256GCM'),
  kid: v.string(),
  /** Whose value this is: a registered header parameter by RFC 7519 section 5.3. */
  sub: v.string(),
  /** Which kind of value this is, told apart as RFC 8725 section 3.11 advises. */
  typ: v.string(),
})
type Header = v.InferOutput<typeof HEADER>

/**
 * RFC 7516 section 7.1, with the empty encrypted key of `dir`. Bits that the last character does not use must be zero
 * (RFC 4648 section 3.5), so that a value has one spelling and no changed character opens.
 */
const COMPACT = /^[\w-]+\.\.[\w-]{16}\.(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?\.[\w-]{21}[AQgw]$/

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** One key of `TOKEN_ENCRYPTION_KEYS`. */
export interface SealingKey {
  kid: string
  /** 32 bytes. */
  bytes: Uint8Array<ArrayBuffer>
}

interface KeyRing {
  /** The key that seals. Absent where no key is configured. */
  first: { kid: string; key: CryptoKey } | undefined
  byKid: ReadonlyMap<string, CryptoKey>
}

/** Cannot be exported again. */
const importKey = (bytes: Uint8Array<ArrayBuffer>) =>
  crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])

const keyRing = async (keys: readonly SealingKey[]): Promise<KeyRing> => {
  const imported = await Promise.all(keys.map(async ({ kid, bytes }) => ({ kid, key: await importKey(bytes) })))
  return { first: imported[0], byKid: new Map(imported.map(({ kid, key }) => [kid, key])) }
}

const unreadable = (reason: string) =>
  new Problem('sealed_token_unreadable', `A stored token does not open, and nothing was changed. ${reason}`)

/** A `kid` of an unknown key comes from the table: only what may be one is shown. */
const missingKey = (kid: string) => {
  const name = /^[\w.-]{1,64}$/.test(kid) ? ` ${kid}` : ''
  return unreadable(`The operator has to put the key${name} that sealed it into TOKEN_ENCRYPTION_KEYS again.`)
}

const damaged = () =>
  unreadable(
    'It was altered, or copied from elsewhere. The operator has to restore it, or to connect the company anew.',
  )

/** A value's header, not yet to be trusted. `undefined`: it is no value of ours. */
const headerOf = (jwe: string): Header | undefined => {
  if (!COMPACT.test(jwe)) return undefined
  try {
    const parsed = v.safeParse(HEADER, decodeProtectedHeader(jwe))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

/** The `kid` of the key that sealed a stored value, as the value itself says. `undefined`: it is plain, or damaged. */
export const sealedBy = (stored: string): string | undefined =>
  stored.startsWith(MARK) ? headerOf(stored.slice(MARK.length))?.kid : undefined

const belongsTo = (header: Header, companyKey: string, name: TokenName) =>
  header.sub === companyKey && header.typ === name

/** `undefined`: this key did not encrypt this value with this header. */
const decrypted = async (jwe: string, key: CryptoKey): Promise<string | undefined> => {
  try {
    const { plaintext } = await compactDecrypt(jwe, key)
    return decoder.decode(plaintext)
  } catch {
    return undefined
  }
}

/**
 * Tokens at rest as JWE compact, each bound to its record and attribute. The first key seals, all open; without keys
 * tokens are stored as they are, and `warnPlain` is told. Plain values open as they are in either case. Keys are
 * imported at their first use and kept. Throws `configuration_error` where `keys` does.
 */
export const sealingVault = (keys: () => readonly SealingKey[], warnPlain: () => void): Vault => {
  let kept: KeyRing | undefined
  const ring = async () => {
    kept ??= await keyRing(keys())
    return kept
  }

  return {
    async seal(companyKey, name, token) {
      const { first } = await ring()
      if (first) {
        const header: Header = { alg: 'dir', enc: 'A256GCM', kid: first.kid, sub: companyKey, typ: name }
        const encryption = new CompactEncrypt(encoder.encode(token)).setProtectedHeader(header)
        return `${MARK}${await encryption.encrypt(first.key)}`
      }
      warnPlain()
      return token
    },

    async open(companyKey, name, stored) {
      if (!stored.startsWith(MARK)) return stored
      const jwe = stored.slice(MARK.length)
      const header = headerOf(jwe)
      if (!header) throw damaged()
      const key = (await ring()).byKid.get(header.kid)
      if (!key) throw missingKey(header.kid)
      const token = await decrypted(jwe, key)
      if (token === undefined || !belongsTo(header, companyKey, name)) throw damaged()
      return token
    },

    digest: sha256Hex,
  }
}
