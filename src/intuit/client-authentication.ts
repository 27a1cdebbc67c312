import { base64url } from 'jose'
import type { ClientCredentials } from '../config/config.ts'
import { hmac, importHmacKey } from '../crypto/digest.ts'

/** Encodes a text as application/x-www-form-urlencoded (RFC 6749 appendix B). */
function encodeForm(text: string) {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

/**
 * The `Authorization` header for client credentials: HTTP Basic, id and secret form-encoded (RFC 6749 section 2.3.1).
 */
export function createBasicAuthorization({ clientId, clientSecret }: ClientCredentials): string {
  return `Basic ${btoa(`${encodeForm(clientId)}:${encodeForm(clientSecret)}`)}`
}

const DIGEST_BYTES = 96 / 8

/**
 * Identifies client credentials without revealing them, to see whether two failures had the same ones: HMAC-SHA256 with
 * the client secret as key, over the client id and the company key, truncated to 96 bits, base64url.
 */
export async function digestClient({ clientId, clientSecret }: ClientCredentials, companyKey: string): Promise<string> {
  const key = await importHmacKey(new TextEncoder().encode(clientSecret))
  return base64url.encode((await hmac(key, `${clientId} ${companyKey}`)).slice(0, DIGEST_BYTES))
}
