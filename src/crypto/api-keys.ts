import { type ApiClient, type ApiKey, withFullRights } from '../broker/api-client.ts'
import type { EpochMs } from '../broker/connection.ts'
import { equalInConstantTime, rememberingSha256, sha256 } from './digest.ts'

export interface ApiKeySettings {
  /** The shared key itself. It may do everything. */
  apiKey: string | undefined
  /** Named keys, known by their digests. */
  keys: readonly ApiKey[]
}

/** Whose key this is; nobody's, too, where it has expired. */
export type Identify = (presented: string | undefined) => Promise<{ apiClient: ApiClient | undefined }>

/** Whom a key belongs to that fits none. It has expired, as if it had been one. */
const NOBODY: ApiKey = { name: '', may: [], companies: [], digest: new Uint8Array(32), expiresAt: 0 }

async function allKeys({ apiKey, keys }: ApiKeySettings): Promise<readonly ApiKey[]> {
  if (apiKey === undefined) return [NOBODY, ...keys]
  const shared = { ...withFullRights('API_KEY'), digest: await sha256(apiKey), expiresAt: undefined }
  return [NOBODY, shared, ...keys]
}

/**
 * Where in the list of keys a digest is, at last, as `API_KEY` may be one of `API_KEYS`; 0 if nowhere. Looks at each key
 * to its end, and takes no branch on what it finds.
 */
function placeOf(digest: Uint8Array, keys: readonly ApiKey[]): number {
  let place = 0
  for (const [at, key] of keys.entries()) place += Number(equalInConstantTime(key.digest, digest)) * (at - place)
  return place
}

/** Texts whose digests are remembered. */
const MAX_PRESENTED = 100

/**
 * Recognises callers by their keys. What is presented is hashed and compared with every digest, so that the time tells
 * neither how much of a key is right, nor whose it is, nor whether it is right at all. A text that came before, right or
 * wrong, is not hashed again: a short time tells that it did. Throws `configuration_error` where `settings` does.
 */
export function createApiKeys(settings: () => ApiKeySettings, now: () => EpochMs): Identify {
  let kept: readonly ApiKey[] | undefined
  const digestOf = rememberingSha256(MAX_PRESENTED)
  return async (presented) => {
    kept ??= await allKeys(settings())
    if (!presented) return { apiClient: undefined }
    const found = kept[placeOf(await digestOf(presented), kept)] ?? NOBODY
    const isLive = (found.expiresAt ?? Number.POSITIVE_INFINITY) * 1000 > now()
    return { apiClient: isLive ? found : undefined }
  }
}
