import type { TokenName, Vault } from '../broker/ports.ts'
import { Problem } from '../problem.ts'
import { sha256Hex } from './digest.ts'
import { decryptJwe, encryptJwe, importKey, type JweHeader, parseJwe } from './jwe.ts'

/** Marks a sealed value: a plain token of Intuit's may look like a JWE itself. */
const MARK = 'sealed:v1:'

/** One key of `TOKEN_ENCRYPTION_KEYS`. */
export interface EncryptionKey {
  kid: string
  /** 32 bytes. */
  bytes: Uint8Array<ArrayBuffer>
}

interface KeyRing {
  /** The key that seals. Absent where no key is configured. */
  first: { kid: string; key: CryptoKey } | undefined
  byKid: ReadonlyMap<string, CryptoKey>
}

async function keyRing(keys: readonly EncryptionKey[]): Promise<KeyRing> {
  const imported = await Promise.all(keys.map(async ({ kid, bytes }) => ({ kid, key: await importKey(bytes) })))
  return { first: imported[0], byKid: new Map(imported.map(({ kid, key }) => [kid, key])) }
}

function undecryptable(reason: string) {
  return new Problem('sealed_token_unreadable', `A stored token does not open, and nothing was changed. ${reason}`)
}

/** A `kid` of an unknown key comes from the table: only what may be one is shown. */
function missingKey(kid: string) {
  const name = /^[\w.-]{1,64}$/.test(kid) ? ` ${kid}` : ''
  return undecryptable(`The operator has to put the key${name} that sealed it into TOKEN_ENCRYPTION_KEYS again.`)
}

function damaged() {
  return undecryptable(
    'It was altered, or copied from elsewhere. The operator has to restore it, or to connect the company anew.',
  )
}

/** The `kid` of the key that sealed a stored value, as the value itself says. `undefined`: it is plain, or damaged. */
export function encryptionKeyId(stored: string): string | undefined {
  return stored.startsWith(MARK) ? parseJwe(stored.slice(MARK.length))?.header.kid : undefined
}

function belongsTo(header: JweHeader, companyKey: string, name: TokenName) {
  return header.sub === companyKey && header.typ === name
}

/**
 * Tokens at rest as JWE compact, each bound to its record and attribute. The first key seals, all open; without keys
 * tokens are stored as they are, and `warnPlain` is told. Plain values open as they are in either case. Keys are
 * imported at their first use and kept. Throws `configuration_error` where `keys` does.
 */
export function createTokenVault(keys: () => readonly EncryptionKey[], warnUnencrypted: () => void): Vault {
  let kept: KeyRing | undefined
  const ring = async () => {
    kept ??= await keyRing(keys())
    return kept
  }

  return {
    async encrypt(companyKey, name, token) {
      const { first } = await ring()
      if (first) {
        const header = { alg: 'dir', enc: 'A256GCM', kid: first.kid, sub: companyKey, typ: name } as const
        return `${MARK}${await encryptJwe(first.key, header, token)}`
      }
      warnUnencrypted()
      return token
    },

    async decrypt(companyKey, name, stored) {
      if (!stored.startsWith(MARK)) return stored
      const jwe = parseJwe(stored.slice(MARK.length))
      if (!jwe) throw damaged()
      const key = (await ring()).byKid.get(jwe.header.kid)
      if (!key) throw missingKey(jwe.header.kid)
      const token = await decryptJwe(key, jwe)
      if (token === undefined || !belongsTo(jwe.header, companyKey, name)) throw damaged()
      return token
    },

    digest: sha256Hex,
  }
}
