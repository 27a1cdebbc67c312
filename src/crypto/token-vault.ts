import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose'
import * as v from 'valibot'
import type { TokenName, Vault } from '../broker/ports/crypto.ts'
import { Problem } from '../problem.ts'
import { sha256Hex } from './digest.ts'
import { createKeyRing, type SymmetricKey } from './key-ring.ts'

/** Marks an encrypted value: a plain token from Intuit may look like a JWE itself. */
const PREFIX = 'sealed:v1:'

/** The whole protected header. A value with another `alg` or `enc`, with `crit` or with `zip` is damaged. */
const headerSchema = v.strictObject({
  alg: v.literal('dir'),
  enc: v.literal('A256GCM'),
  kid: v.string(),
  /** The company key (a registered header parameter by RFC 7519 section 5.3). */
  sub: v.string(),
  /** The attribute (RFC 8725 section 3.11 advises to tell kinds of values apart). */
  typ: v.string(),
})
type Header = v.InferOutput<typeof headerSchema>

const PINNED = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] }

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function importKey(bytes: Uint8Array<ArrayBuffer>) {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

function undecryptable(reason: string) {
  return new Problem(
    'sealed_token_unreadable',
    `A stored token cannot be decrypted, and nothing was changed. ${reason}`,
  )
}

/** An unknown `kid` comes from the table: the message shows it only if it has the form of one. */
function missingKey(kid: string) {
  const name = /^[\w.-]{1,64}$/.test(kid) ? ` ${kid}` : ''
  return undecryptable(`The operator has to put the key${name} that encrypted it into TOKEN_ENCRYPTION_KEYS again.`)
}

function damaged() {
  return undecryptable(
    'It was altered, or copied from elsewhere. The operator has to restore it, or to connect the company again.',
  )
}

/** Reads the header of a JWE before anything is verified. `undefined`: not a JWE of this service. */
function parseHeader(jwe: string): Header | undefined {
  try {
    const header = v.safeParse(headerSchema, decodeProtectedHeader(jwe))
    return header.success ? header.output : undefined
  } catch {
    return undefined
  }
}

async function decryptJwe(key: CryptoKey, jwe: string): Promise<string> {
  try {
    const { plaintext } = await compactDecrypt(jwe, key, PINNED)
    return decoder.decode(plaintext)
  } catch {
    throw damaged()
  }
}

/** The `kid` that a stored value names. `undefined`: the value is plain, or damaged. */
export function encryptionKeyId(stored: string): string | undefined {
  return stored.startsWith(PREFIX) ? parseHeader(stored.slice(PREFIX.length))?.kid : undefined
}

/**
 * Encrypts tokens at rest as compact JWE, each bound to its record and attribute. Without keys, tokens are stored plain
 * and `warnUnencrypted` is called. Plain values are always readable. Throws `sealed_token_unreadable`, and
 * `configuration_error` if `keys` does.
 */
export function createTokenVault(keys: () => readonly SymmetricKey[], warnUnencrypted: () => void): Vault {
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
      if (!stored.startsWith(PREFIX)) return stored
      const jwe = stored.slice(PREFIX.length)
      const header = parseHeader(jwe)
      if (!header) throw damaged()
      const key = (await keyRing()).byKid.get(header.kid)
      if (!key) throw missingKey(header.kid)
      const token = await decryptJwe(key, jwe)
      if (header.sub !== companyKey || header.typ !== name) throw damaged()
      return token
    },

    digest: sha256Hex,
  }
}
