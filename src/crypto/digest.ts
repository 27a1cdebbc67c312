import { base64url } from 'jose'

const encoder = new TextEncoder()

async function sha256(text: string) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)))
}

/** SHA-256 of the UTF-8 of a text, as 64 lower-case hexadecimal digits. */
export async function sha256Hex(text: string): Promise<string> {
  return Array.from(await sha256(text), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** SHA-256 of the UTF-8 of a text in base64url: the `S256` challenge of RFC 7636 section 4.2. */
export async function sha256Base64Url(text: string): Promise<string> {
  return base64url.encode(await sha256(text))
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
