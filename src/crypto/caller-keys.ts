import { type Caller, type CallerKey, withFullRights } from '../broker/caller.ts'
import type { EpochMs } from '../broker/connection.ts'
import { equalInConstantTime, rememberingSha256, sha256 } from './digest.ts'

export interface CallerSettings {
  /** The shared key itself. It may do everything. */
  apiKey: string | undefined
  /** Named keys, known by their digests. */
  keys: readonly CallerKey[]
}

/** Whose key this is. `undefined`: nobody's, or one that has expired. */
export type Identify = (presented: string | undefined) => Promise<Caller | undefined>

async function allKeys({ apiKey, keys }: CallerSettings): Promise<readonly CallerKey[]> {
  if (apiKey === undefined) return keys
  return [{ ...withFullRights('API_KEY'), digest: await sha256(apiKey), expiresAt: undefined }, ...keys]
}

/** Texts whose digests are remembered. */
const MAX_PRESENTED = 100

/**
 * Recognises callers by their keys. What is presented is hashed and compared with every digest to the end, so that
 * the time tells neither how much of a key is right nor whose it is. Throws `configuration_error` where `settings` does.
 */
export function callerKeys(settings: () => CallerSettings, now: () => EpochMs): Identify {
  let kept: readonly CallerKey[] | undefined
  const digestOf = rememberingSha256(MAX_PRESENTED)
  return async (presented) => {
    kept ??= await allKeys(settings())
    if (!presented) return undefined
    const digest = await digestOf(presented)
    let found: CallerKey | undefined
    for (const key of kept) if (equalInConstantTime(key.digest, digest)) found = key
    const isLive = found?.expiresAt === undefined || found.expiresAt * 1000 > now()
    return isLive ? found : undefined
  }
}
