import { CompactEncrypt, compactDecrypt } from 'jose'
import { type ApiKeySettings, digestApiKeys } from './api-keys.ts'
import type { SymmetricKey } from './key-ring.ts'

/** The secrets from which the cursor key is derived. */
export interface CursorSettings extends ApiKeySettings {
  /** `TOKEN_ENCRYPTION_KEYS`. */
  encryptionKeys: readonly SymmetricKey[]
}

const HEADER = { alg: 'dir', enc: 'A256GCM', typ: 'cursor' }
const ALGORITHMS = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] }

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * The first token encryption key, or the digests of all API keys if there is none. A client that knows its own key cannot
 * compute the digests of the others.
 */
async function findSecret(settings: CursorSettings): Promise<Uint8Array<ArrayBuffer>> {
  const [first] = settings.encryptionKeys
  return first ? first.bytes : new Uint8Array(encoder.encode((await digestApiKeys(settings)).join(' ')))
}

/** A separate key for cursors (HKDF, RFC 5869), so that a stored token never decrypts as a cursor. */
async function deriveKey(settings: CursorSettings): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey('raw', await findSecret(settings), 'HKDF', false, ['deriveKey'])
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode('pagination-cursor') }
  return crypto.subtle.deriveKey(hkdf, secret, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

/**
 * Encrypts pagination cursors, because a cursor can contain a company key that the client has no permission for. Throws
 * `configuration_error` if `settings` does.
 */
export function createPaginationCursor(settings: () => CursorSettings) {
  let derived: CryptoKey | undefined
  const cursorKey = async () => {
    derived ??= await deriveKey(settings())
    return derived
  }

  return {
    encrypt: async (text: string): Promise<string> =>
      new CompactEncrypt(encoder.encode(text)).setProtectedHeader(HEADER).encrypt(await cursorKey()),

    /** `undefined`: the cursor is not from this service, or a key has changed. */
    async decrypt(cursor: string): Promise<string | undefined> {
      const key = await cursorKey()
      try {
        const { plaintext } = await compactDecrypt(cursor, key, ALGORITHMS)
        return decoder.decode(plaintext)
      } catch {
        return undefined
      }
    },
  }
}
