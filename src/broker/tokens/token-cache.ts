import { createLru } from '../../lib/lru.ts'
import type { EpochMs, UsableToken } from '../connection.ts'

/** Size limit of the cache in bytes, well below the memory of an isolate. About 5,000 tokens of 1,100 characters. */
const MAX_BYTES = 8_000_000
/** Estimated size of an entry without its token and name: two objects, their numbers and short texts. */
const ENTRY_BYTES = 500

interface Entry {
  /** Absent after the tokens were erased. The entry remains, so that a late read cannot put the former token back. */
  token: UsableToken | undefined
  generation: number
  expiresAt: EpochMs
}

interface TokenCacheDeps {
  now(): EpochMs
  /** The lifetime of an entry in seconds. 0 turns the cache off. */
  cacheSeconds(): number
  /** Called with each generation that is set or invalidated, even if the cache is off. */
  onGeneration?: ((companyKey: string, generation: number) => void) | undefined
}

/** A token is ASCII, one byte a character. JavaScript stores other texts with two bytes a character. */
function estimateBytes({ token }: Entry): number {
  return token ? ENTRY_BYTES + token.accessToken.length + 2 * token.connection.companyName.length : ENTRY_BYTES
}

/**
 * Caches decrypted tokens in an isolate for a few seconds. The size is limited in bytes: the least recently used entry is
 * evicted first. An older generation never replaces a newer one, whatever the order in which reads and refreshes end.
 */
export function createTokenCache({ now, cacheSeconds, onGeneration }: TokenCacheDeps) {
  const entries = createLru<Entry>(MAX_BYTES, estimateBytes)

  const put = (companyKey: string, generation: number, token: UsableToken | undefined) => {
    onGeneration?.(companyKey, generation)
    const lifetimeMs = cacheSeconds() * 1000
    const cached = entries.peek(companyKey)
    if (lifetimeMs === 0 || (cached && cached.expiresAt > now() && cached.generation > generation)) return
    entries.set(companyKey, { token, generation, expiresAt: now() + lifetimeMs })
  }

  return {
    /** The cached token. `undefined`: there is none, or it has expired. */
    get: (companyKey: string): UsableToken | undefined => {
      const entry = entries.get(companyKey)
      return entry && entry.expiresAt > now() ? entry.token : undefined
    },
    set: (token: UsableToken) => put(token.connection.companyKey, token.connection.generation, token),
    /** Call it after tokens were erased or replaced. `generation` is the one that the record has now. */
    invalidate: (companyKey: string, generation: number) => put(companyKey, generation, undefined),
    isOn: () => cacheSeconds() > 0,
    /** The estimated size of all entries. */
    bytes: () => entries.size(),
  }
}

export type TokenCache = ReturnType<typeof createTokenCache>
