import * as v from 'valibot'
import { API_KEYS } from './api-keys.ts'
import { TRUE_OR_FALSE, VISIBLE } from './formats.ts'

/** The API keys that the service accepts: `API_KEY`, `API_KEYS`, or both. */
export const ACCESS = v.pipe(
  v.object({
    API_KEY: v.optional(VISIBLE),
    API_KEYS: v.optional(API_KEYS),
    API_KEY_IN_QUERY: v.optional(TRUE_OR_FALSE, 'true'),
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
