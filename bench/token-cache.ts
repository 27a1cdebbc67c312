import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { createTokenCache } from '../src/broker/tokens/token-cache.ts'
import { parseConnection } from '../src/storage/connection-item.ts'

const CONNECTIONS = 10_000
const ACCESS_TOKEN = 'x'.repeat(1100)

/** Puts 10,000 copies of a stored connection into the token cache: its size by its own count, and the entries left. */
export const fillTokenCache = (item: Record<string, AttributeValue>): { bytes: number; entries: number } => {
  const cache = createTokenCache({ now: () => 0, cacheSeconds: () => 1 })
  const keys = Array.from({ length: CONNECTIONS }, (_, index) => `connection-${index}`)
  for (const key of keys) {
    const connection = { ...parseConnection(item, key), accessToken: ACCESS_TOKEN, accessTokenExpiresAt: 1 }
    cache.set({ accessToken: ACCESS_TOKEN, connection })
  }
  return { bytes: cache.bytes(), entries: keys.filter((key) => cache.get(key)).length }
}
