import { base64url } from 'jose'
import type { ClientCredentials } from '../config/config.ts'
import { hmac, importHmacKey } from '../crypto/hmac.ts'

const BYTES = 96 / 8

/**
 * Identifies client credentials without revealing them, to see whether two failures had the same ones: HMAC-SHA256 with
 * the client secret as key, over the client id and the company key, truncated to 96 bits, base64url.
 */
export async function digestClient({ clientId, clientSecret }: ClientCredentials, companyKey: string): Promise<string> {
  const key = await importHmacKey(new TextEncoder().encode(clientSecret))
  return base64url.encode((await hmac(key, `${clientId} ${companyKey}`)).slice(0, BYTES))
}
