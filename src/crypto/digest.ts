const encoder = new TextEncoder()

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** SHA-256 of a text's UTF-8. */
export const sha256 = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)))

/** SHA-256 as 64 hexadecimal digits. */
export const sha256Hex = async (text: string): Promise<string> => hex(await sha256(text))

/** Whether two texts are equal, in a time that depends on neither: digests of one length are compared to the end. */
export const equalInConstantTime = async (left: string, right: string): Promise<boolean> => {
  const [a, b] = await Promise.all([sha256(left), sha256(right)])
  let difference = 0
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 256)
  return difference === 0
}
