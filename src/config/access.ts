import * as v from 'valibot'
import { apiKeys } from './api-keys.ts'
import { trueOrFalse, visible } from './formats.ts'

/** Who may ask: the holders of `API_KEY` or of one of `API_KEYS`. */
export function access() {
  return v.pipe(
    v.object({
      API_KEY: v.optional(visible()),
      API_KEYS: v.optional(apiKeys()),
      API_KEY_IN_QUERY: v.optional(trueOrFalse(), 'true'),
    }),
    v.forward(
      v.check(({ API_KEY, API_KEYS }) => Boolean(API_KEY ?? API_KEYS), 'is missing, and so is API_KEYS'),
      ['API_KEY'],
    ),
    v.transform((env) => ({
      apiKey: env.API_KEY,
      keys: env.API_KEYS ?? [],
      queryKeysAllowed: env.API_KEY_IN_QUERY === 'true',
    })),
  )
}
