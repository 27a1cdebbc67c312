import { createTokenCache } from '../src/broker/tokens/token-cache.ts'
import { parseConnection } from '../src/storage/connection-item.ts'
import type { Item } from './table.ts'

const CONNECTIONS = 10_000

/** What the isolate's memory holds once it was given 10,000 connections like this stored one, by its own account. */
export const rememberedAtMost = (item: Item): { bytes: number; kept: number } => {
  const remembered = createTokenCache({ now: () => 0, cacheSeconds: () => 1 })
  const keys = Array.from({ length: CONNECTIONS }, (_, index) => `connection-${index}`)
  const accessToken = 'x'.repeat(1100)
  for (const key of keys) {
    const connection = parseConnection(item, key)
    const sealed = { accessToken: connection.accessToken ?? '', accessTokenExpiresAt: 1 }
    remembered.set({ accessToken, connection: { ...connection, ...sealed } })
  }
  return { bytes: remembered.bytes(), kept: keys.filter((key) => remembered.get(key)).length }
}
