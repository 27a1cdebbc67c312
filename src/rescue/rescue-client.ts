import * as v from 'valibot'
import type { Runtime } from '../broker/ports/runtime.ts'
import type { Rescue, Successor } from '../broker/ports/storage.ts'

/** The part of the `RescueStore` namespace that the client uses. Tests in Node need no workerd types for it. */
export interface RescueNamespace {
  getByName(companyKey: string): {
    park(usedTokenHash: string, successor: string): Promise<void>
    find(usedTokenHash: string): Promise<string | undefined>
    remove(usedTokenHash: string): Promise<void>
  }
}

const TIMEOUT_MS = 2_000

const SUCCESSOR_SCHEMA = v.object({
  pair: v.object({
    accessToken: v.string(),
    accessTokenExpiresAt: v.number(),
    refreshToken: v.string(),
    refreshTokenExpiresAt: v.number(),
    refreshTokenHardExpiresAt: v.optional(v.number()),
    refreshTokenHash: v.string(),
  }),
  rotated: v.boolean(),
  now: v.number(),
  writer: v.string(),
})

function parseSuccessor(text: string): Successor {
  const { pair, ...rest } = v.parse(SUCCESSOR_SCHEMA, JSON.parse(text))
  return { ...rest, pair: { ...pair, refreshTokenHardExpiresAt: pair.refreshTokenHardExpiresAt } }
}

/**
 * Parks token pairs in one Durable Object per company key. Throws if the object does not respond within two seconds.
 */
export function createRescueClient(namespace: RescueNamespace, { sleep }: Pick<Runtime, 'sleep'>): Rescue {
  const store = (companyKey: string) => namespace.getByName(companyKey)
  const withTimeout = <Result>(response: Promise<Result>): Promise<Result> =>
    Promise.race([
      response,
      sleep(TIMEOUT_MS).then(() => {
        throw new Error('The rescue store did not respond in time.')
      }),
    ])

  return {
    park: (companyKey, usedTokenHash, successor) =>
      withTimeout(store(companyKey).park(usedTokenHash, JSON.stringify(successor))),
    find: async (companyKey, usedTokenHash) => {
      const text = await withTimeout(store(companyKey).find(usedTokenHash))
      return text === undefined ? undefined : parseSuccessor(text)
    },
    remove: (companyKey, usedTokenHash) => withTimeout(store(companyKey).remove(usedTokenHash)),
  }
}
