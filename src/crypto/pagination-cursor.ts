import { sha256 } from './digest.ts'
import { decryptJwe, encryptJwe, importKey, parseJwe } from './jwe.ts'

const HEADER = { alg: 'dir', enc: 'A256GCM', kid: 'cursor', sub: 'connections', typ: 'cursor' } as const

/**
 * Closes and opens cursors, under a key made of `secret`. What a cursor says is for us alone: it names connections that
 * its holder may have no right to know of. No stored token opens as a cursor, as none is under this key.
 */
export function createPaginationCursor(secret: () => string) {
  const key = async () => importKey(new Uint8Array(await sha256(`cursor of a list: ${secret()}`)))
  return {
    encrypt: async (text: string): Promise<string> => encryptJwe(await key(), HEADER, text),

    /** `undefined`: not one of ours. */
    decrypt: async (cursor: string): Promise<string | undefined> => {
      const jwe = parseJwe(cursor)
      return jwe && decryptJwe(await key(), jwe)
    },
  }
}
