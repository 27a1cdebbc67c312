const encoder = new TextEncoder()

/** SHA-256 of the UTF-8 of a text, as 64 lower-case hexadecimal digits. */
export async function sha256Hex(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

const HMAC = { name: 'HMAC', hash: 'SHA-256' }

/** Imports a key for HMAC-SHA256 (RFC 2104). The key is not extractable. */
export function importHmacKey(bytes: BufferSource): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, HMAC, false, ['sign', 'verify'])
}

/** HMAC-SHA256 of the UTF-8 of a text, 32 bytes. */
export async function hmac(key: CryptoKey, text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text)))
}
