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

/** 128 random bits in hexadecimal. */
export const MIN_API_KEY_LENGTH = 32
const MIN_DIFFERENT_CHARACTERS = 8

/**
 * Whether an `API_KEY` is easy to guess: it is short, or made of few characters. `API_KEYS` cannot be judged by digest.
 */
export function isWeakApiKey(apiKey: string): boolean {
  return apiKey.length < MIN_API_KEY_LENGTH || new Set(apiKey).size < MIN_DIFFERENT_CHARACTERS
}

/**
 * Identifies API clients by the SHA-256 of their key. A guess that differs in one character has an unrelated digest, so
 * the duration of a lookup does not show how much of a key is correct. Calls `onWeakKey` once for an `API_KEY` that is easy
 * to guess. Throws `configuration_error` if `settings` does.
 */
export function createApiKeys(
  settings: () => ApiKeySettings,
  now: () => EpochMs,
  onWeakKey: () => void = () => undefined,
): Identify {
  let byDigest: ReadonlyMap<string, ApiKey> | undefined
  return async (apiKey) => {
    if (!byDigest) {
      const current = settings()
      byDigest = new Map((await findKeys(current)).map((key) => [key.digest, key]))
      if (current.apiKey !== undefined && isWeakApiKey(current.apiKey)) onWeakKey()
    }
    const found = apiKey ? byDigest.get(await sha256Hex(apiKey)) : undefined
    const isValid = found && (found.expiresAt ?? Number.POSITIVE_INFINITY) * 1000 > now()
    return { apiClient: isValid ? found : undefined }
  }
}
