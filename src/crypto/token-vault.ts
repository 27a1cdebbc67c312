import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose'
import * as v from 'valibot'
import type { TokenName, Vault } from '../broker/ports/crypto.ts'
import { Problem } from '../problem.ts'
import { sha256Hex } from './digest.ts'
import { createKeyRing, type SymmetricKey } from './key-ring.ts'

/** Marks an encrypted value. Without it, a plain token from Intuit could be mistaken for a JWE. */
const PREFIX = 'sealed:v1:'

/** The complete protected header. Another `alg` or `enc`, `crit`, `zip` or any other member is an error. */
const HEADER_SCHEMA = v.strictObject({
  alg: v.literal('dir'),
  enc: v.literal('A256GCM'),
  kid: v.string(),
  /** The company key. RFC 7519 section 5.3 registers `sub` as a header parameter. */
  sub: v.string(),
  /** The attribute. RFC 8725 section 3.11 recommends a type for each kind of value. */
  typ: v.string(),
})
type Header = v.InferOutput<typeof HEADER_SCHEMA>

const ALGORITHMS = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] }

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function importKey(bytes: Uint8Array<ArrayBuffer>) {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

function createDecryptionError(reason: string) {
  return new Problem(
    'sealed_token_unreadable',
    `A stored token cannot be decrypted, and nothing was changed. ${reason}`,
  )
}

/** An unknown `kid` comes from the table. The message contains it only if it has the format of a key id. */
function createMissingKeyError(kid: string) {
  const name = /^[\w.-]{1,64}$/.test(kid) ? ` ${kid}` : ''
  return createDecryptionError(
    `The operator has to add the key${name} that encrypted it to TOKEN_ENCRYPTION_KEYS again.`,
  )
}

function createDamagedValueError() {
  return createDecryptionError(
    'It was altered, or copied from elsewhere. The operator has to restore it, or the owner has to connect the company again.',
  )
}

function createPlainValueError() {
  return createDecryptionError(
    'It is not encrypted, and REQUIRE_SEALED is true. If you stored it, run npm run keys:reseal with TOKEN_ENCRYPTION_KEYS. If not, find out who can write to the table, and let the owner connect the company again.',
  )
}

/** Parses the header of a JWE without verification. `undefined`: the value is not a JWE of this service. */
function parseHeader(jwe: string): Header | undefined {
  try {
    const header = v.safeParse(HEADER_SCHEMA, decodeProtectedHeader(jwe))
    return header.success ? header.output : undefined
  } catch {
    return undefined
  }
}

async function decryptJwe(key: CryptoKey, jwe: string): Promise<string> {
  try {
    const { plaintext } = await compactDecrypt(jwe, key, ALGORITHMS)
    return decoder.decode(plaintext)
  } catch {
    throw createDamagedValueError()
  }
}

/** The id of the key that encrypted a stored value. `undefined`: the value is plain text or damaged. */
export function findEncryptionKeyId(stored: string): string | undefined {
  return stored.startsWith(PREFIX) ? parseHeader(stored.slice(PREFIX.length))?.kid : undefined
}

/**
 * Encrypts stored tokens as compact JWE (RFC 7516), each bound to its record and attribute. Without keys, `encrypt` returns
 * the plain token and calls `warnUnencrypted`. `decrypt` returns plain values unchanged, unless `requiresEncryption` (REQUIRE_SEALED):
 * then it rejects them. Throws `sealed_token_unreadable`, and `configuration_error` if `keys` or `requiresEncryption` does.
 */
export function createTokenVault(
  keys: () => readonly SymmetricKey[],
  warnUnencrypted: () => void,
  requiresEncryption: () => boolean = () => false,
): Vault {
  const keyRing = createKeyRing(keys, importKey)

  return {
    async encrypt(companyKey: string, name: TokenName, token: string) {
      const { first } = await keyRing()
      if (!first) {
        warnUnencrypted()
        return token
      }
      const jwe = await new CompactEncrypt(encoder.encode(token))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: first.kid, sub: companyKey, typ: name })
        .encrypt(first.key)
      return `${PREFIX}${jwe}`
    },

    async decrypt(companyKey: string, name: TokenName, stored: string) {
      if (!stored.startsWith(PREFIX)) {
        if (requiresEncryption()) throw createPlainValueError()
        return stored
      }
      const jwe = stored.slice(PREFIX.length)
      const header = parseHeader(jwe)
      if (!header) throw createDamagedValueError()
      const key = (await keyRing()).byKid.get(header.kid)
      if (!key) throw createMissingKeyError(header.kid)
      const token = await decryptJwe(key, jwe)
      if (header.sub !== companyKey || header.typ !== name) throw createDamagedValueError()
      return token
    },

    digest: sha256Hex,
  }
}
