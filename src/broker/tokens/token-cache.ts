import type { EpochMs, UsableToken } from '../connection.ts'

/** Fewer bytes than an isolate has by far: at tokens of 1,100 characters, some 5,000 connections. */
const MAX_BYTES = 8_000_000
/** What an entry takes besides its token and name: two objects, their numbers and short texts. */
const ENTRY_BYTES = 500

interface Entry {
  /** Absent where the tokens were erased: nothing that was read before comes back. */
  token: UsableToken | undefined
  generation: number
  bytes: number
  until: EpochMs
}

interface TokenCacheDeps {
  now(): EpochMs
  /** How long an entry may be answered from; 0 turns the memory off. */
  cacheSeconds(): number
  /** Told of each generation that is remembered or forgotten, whether the memory is on or off. */
  noted?: ((companyKey: string, generation: number) => void) | undefined
}

/** A token is ASCII, a byte a character; a name may not be. */
function estimateBytes({ accessToken, connection }: UsableToken) {
  return ENTRY_BYTES + accessToken.length + 2 * connection.companyName.length
}

/**
 * Opened tokens of the connections in use, for seconds. Bounded by bytes; the least recently used one goes first. An
 * older generation never takes the place of a newer one, in whatever order reads and refreshes end.
 */
export function createTokenCache({ now, cacheSeconds, noted }: TokenCacheDeps) {
  const entries = new Map<string, Entry>()
  let bytes = 0

  const drop = (companyKey: string) => {
    bytes -= entries.get(companyKey)?.bytes ?? 0
    entries.delete(companyKey)
  }

  const put = (companyKey: string, generation: number, token: UsableToken | undefined) => {
    noted?.(companyKey, generation)
    const lifeMs = cacheSeconds() * 1000
    const known = entries.get(companyKey)
    if (lifeMs === 0 || (known && known.until > now() && known.generation > generation)) return
    drop(companyKey)
    const entry = { token, generation, bytes: token ? estimateBytes(token) : ENTRY_BYTES, until: now() + lifeMs }
    entries.set(companyKey, entry)
    bytes += entry.bytes
    for (const [oldest] of entries) {
      if (bytes <= MAX_BYTES) return
      drop(oldest)
    }
  }

  return {
    /** The token that was remembered within the last seconds. */
    get: (companyKey: string): UsableToken | undefined => {
      const entry = entries.get(companyKey)
      if (!entry || entry.until <= now()) return undefined
      // The last one in is the last one to go.
      entries.delete(companyKey)
      entries.set(companyKey, entry)
      return entry.token
    },
    set: (token: UsableToken) => put(token.connection.companyKey, token.connection.generation, token),
    /** After tokens were erased, or replaced by others: `generation` is the record's own now. */
    invalidate: (companyKey: string, generation: number) => put(companyKey, generation, undefined),
    isOn: () => cacheSeconds() > 0,
    bytes: () => bytes,
  }
}

export type TokenCache = ReturnType<typeof createTokenCache>
