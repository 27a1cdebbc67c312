import { createLru } from '../lib/lru.ts'

const encoder = new TextEncoder()
/** Of what is remembered: API keys have some 50 characters, a read of the table some 150, and no write of tokens as few. */
const MAX_LENGTH = 400

declare global {
  interface Uint8Array {
    /** Workers have it; the Node that runs our scripts does not yet. */
    toHex?(): string
  }
}

/** Two hexadecimal digits a byte. */
export function hex(bytes: Uint8Array): string {
  return bytes.toHex?.() ?? Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** SHA-256 of a text's UTF-8. */
export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)))
}

/**
 * `sha256`, knowing the texts that came lately, `most` of them. The engine finds them by a hash of the whole text, seeded
 * anew for each isolate. Digests are kept and not their promises, as one that belongs to another request may never settle.
 */
export function rememberingSha256(most: number): typeof sha256 {
  const digests = createLru<Uint8Array>(most, MAX_LENGTH)
  return async (text) => {
    const known = digests.get(text)
    if (known) return known
    const digest = await sha256(text)
    digests.set(text, digest)
    return digest
  }
}

/** SHA-256 as 64 hexadecimal digits. */
export async function sha256Hex(text: string): Promise<string> {
  return hex(await sha256(text))
}

/** Whether two digests of one length are equal, compared to the end whatever they hold: Node lacks workerd's `timingSafeEqual`. */
export function equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.length ^ right.length
  // By index: an iterator takes twenty times as long, and every key of the list is compared at every call.
  for (let index = 0; index < left.length; index++) difference |= (left[index] ?? 0) ^ (right[index] ?? 256)
  return difference === 0
}
