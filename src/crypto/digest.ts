const encoder = new TextEncoder()

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Two hexadecimal digits a byte. */
export function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte]
  return text
}

/** SHA-256 of a text's UTF-8. */
export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)))
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
