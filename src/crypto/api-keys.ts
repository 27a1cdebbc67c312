import { type ApiClient, type ApiKey, withFullRights } from '../broker/api-client.ts'
import type { EpochMs } from '../broker/connection.ts'
import { sha256Hex } from './digest.ts'

export interface ApiKeySettings {
  /** `API_KEY`, in plain text. It has every permission. */
  apiKey: string | undefined
  /** `API_KEYS`, by their digests. */
  keys: readonly ApiKey[]
}

/** Finds the API client that a key belongs to. `undefined`: the key is unknown or expired. */
export type Identify = (key: string | undefined) => Promise<{ apiClient: ApiClient | undefined }>

/** `API_KEY` comes first: if `API_KEYS` contains the same key, its permissions take precedence. */
async function findKeys({ apiKey, keys }: ApiKeySettings): Promise<readonly ApiKey[]> {
  if (apiKey === undefined) return keys
  return [{ ...withFullRights('API_KEY'), digest: await sha256Hex(apiKey), expiresAt: undefined }, ...keys]
}

/** The SHA-256 digests of all keys, as hexadecimal text. */
export async function digestApiKeys(settings: ApiKeySettings): Promise<string[]> {
  return (await findKeys(settings)).map(({ digest }) => digest)
}

/**
 * Identifies API clients by the SHA-256 of their key. A guess that differs in one character has an unrelated digest, so
 * the duration of a lookup does not show how much of a key is correct. Throws `configuration_error` if `settings` does.
 */
export function createApiKeys(settings: () => ApiKeySettings, now: () => EpochMs): Identify {
  let byDigest: ReadonlyMap<string, ApiKey> | undefined
  return async (apiKey) => {
    byDigest ??= new Map((await findKeys(settings())).map((key) => [key.digest, key]))
    const found = apiKey ? byDigest.get(await sha256Hex(apiKey)) : undefined
    const isValid = found && (found.expiresAt ?? Number.POSITIVE_INFINITY) * 1000 > now()
    return { apiClient: isValid ? found : undefined }
  }
}
