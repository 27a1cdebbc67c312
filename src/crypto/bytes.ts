/** Base64 with padding (RFC 4648 section 4). */
export function base64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

/** The bytes of a base64 text (RFC 4648 section 4). */
export function bytesOfBase64(encoded: string): Uint8Array<ArrayBuffer> {
  const text = atob(encoded)
  const bytes = new Uint8Array(text.length)
  // Twice as fast as `Uint8Array.from` with a callback, and every token read comes through here.
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index)
  return bytes
}

/** base64url without padding (RFC 4648 section 5), as JOSE wants it. */
export function base64Url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

declare global {
  interface Uint8ArrayConstructor {
    /** Workers have it; the Node that runs our scripts does not yet. */
    fromBase64?(text: string, options: { alphabet: 'base64url' }): Uint8Array<ArrayBuffer>
  }
}

/** The bytes of a base64url text that is known to be one. */
export function bytesOfBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return (
    Uint8Array.fromBase64?.(text, { alphabet: 'base64url' }) ??
    bytesOfBase64(text.replaceAll('-', '+').replaceAll('_', '/'))
  )
}

/** The bytes of a text of hexadecimal digits, two to a byte. */
export function bytesOfHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  )
}
