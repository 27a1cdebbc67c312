import { type ApiClient, type ApiKey, withFullRights } from '../broker/api-client.ts'
import type { EpochMs } from '../broker/connection.ts'
import { sha256Hex } from './digest.ts'

export interface ApiKeySettings {
  /** `API_KEY`, in plain text. It has every permission. */
  apiKey: string | undefined
  /** `API_KEYS`, known by their digests. */
  keys: readonly ApiKey[]
}

/** Finds the client that a key belongs to. `undefined`: the key is unknown or has expired. */
export type Identify = (presented: string | undefined) => Promise<{ apiClient: ApiClient | undefined }>

/** A key of `API_KEYS` that equals `API_KEY` comes last, so that its own rights apply. */
async function findKeys({ apiKey, keys }: ApiKeySettings): Promise<readonly ApiKey[]> {
  if (apiKey === undefined) return keys
  return [{ ...withFullRights('API_KEY'), digest: await sha256Hex(apiKey), expiresAt: undefined }, ...keys]
}

/** The SHA-256 digests of all keys, as hexadecimal text. */
export async function apiKeyDigests(settings: ApiKeySettings): Promise<string[]> {
  return (await findKeys(settings)).map(({ digest }) => digest)
}

/**
 * Identifies API clients by their keys. The key itself is never compared, only looked up by its SHA-256: a guess that
 * differs in one character has an unrelated digest, so the time of a look-up does not tell how much of a key is right.
 * Throws `configuration_error` if `settings` does.
 */
export function createApiKeys(settings: () => ApiKeySettings, now: () => EpochMs): Identify {
  let byDigest: ReadonlyMap<string, ApiKey> | undefined
  return async (presented) => {
    byDigest ??= new Map((await findKeys(settings())).map((key) => [key.digest, key]))
    const found = presented ? byDigest.get(await sha256Hex(presented)) : undefined
    const isLive = found && (found.expiresAt ?? Number.POSITIVE_INFINITY) * 1000 > now()
    return { apiClient: isLive ? found : undefined }
  }
}
