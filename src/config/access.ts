import * as v from 'valibot'
import { API_KEYS } from './api-keys.ts'
import { TRUE_OR_FALSE, VISIBLE } from './formats.ts'

/** Who may ask: the holders of `API_KEY` or of one of `API_KEYS`. */
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
