import { base64url } from 'jose'
import type { ClientCredentials } from '../config/config.ts'
import { hmac, hmacKey } from '../crypto/hmac.ts'

const BYTES = 12

/**
 * Tells whether two failures were met with the same client credentials, and nothing else: HMAC-SHA256 keyed by the
 * secret, over the client id and the company key, cut to 96 bits.
 */
export async function clientDigest({ clientId, clientSecret }: ClientCredentials, companyKey: string): Promise<string> {
  const key = await hmacKey(new TextEncoder().encode(clientSecret))
  return base64url.encode((await hmac(key, `${clientId} ${companyKey}`)).slice(0, BYTES))
}
