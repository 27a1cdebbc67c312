import * as v from 'valibot'
import type { Runtime } from '../broker/ports/runtime.ts'
import type { Rescue, Successor } from '../broker/ports/storage.ts'

/** The namespace of the Durable Object `RescueStore`, as far as it is used: tests in Node need no types of workerd. */
export interface RescueNamespace {
  getByName(companyKey: string): {
    park(usedTokenHash: string, successor: string): Promise<void>
    find(usedTokenHash: string): Promise<string | undefined>
    forget(usedTokenHash: string): Promise<void>
  }
}

/** An object that is asked for longer counts as out of reach. */
const ANSWER_WITHIN_MS = 2_000

function successorSchema() {
  return v.object({
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
}

function parsed(text: string): Successor {
  const { pair, ...rest } = v.parse(successorSchema(), JSON.parse(text))
  return { ...rest, pair: { ...pair, refreshTokenHardExpiresAt: pair.refreshTokenHardExpiresAt } }
}

/** Parked pairs, in one Durable Object for each company key. */
export function createRescueClient(namespace: RescueNamespace, { sleep }: Pick<Runtime, 'sleep'>): Rescue {
  const store = (companyKey: string) => namespace.getByName(companyKey)
  const inTime = <Result>(answer: Promise<Result>): Promise<Result> =>
    Promise.race([
      answer,
      sleep(ANSWER_WITHIN_MS).then(() => {
        throw new Error('The rescue store did not answer in time.')
      }),
    ])

  return {
    park: (companyKey, usedTokenHash, successor) =>
      inTime(store(companyKey).park(usedTokenHash, JSON.stringify(successor))),
    find: async (companyKey, usedTokenHash) => {
      const text = await inTime(store(companyKey).find(usedTokenHash))
      return text === undefined ? undefined : parsed(text)
    },
    forget: (companyKey, usedTokenHash) => inTime(store(companyKey).forget(usedTokenHash)),
  }
}
