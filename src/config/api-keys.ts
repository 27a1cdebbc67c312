import * as v from 'valibot'
import { PERMISSIONS } from '../broker/api-client.ts'
import { TEXT } from './formats.ts'

/** Rejects days that do not exist, such as 2027-02-30: `Date.parse` moves them into the next month. */
function isDay(day: string) {
  const time = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day)
}

/** An RFC 3339 date (00:00 UTC of that day), or a date and time with an offset. */
function isTime(given: string) {
  return (
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?$/.test(given) &&
    isDay(given.slice(0, 10)) &&
    !Number.isNaN(Date.parse(given))
  )
}

/** valibot's own messages quote the value, which may be a secret. So every check has a message of its own. */
function createTextSchema(pattern: RegExp, message: string) {
  return v.pipe(v.string(message), v.regex(pattern, message))
}

function createNonEmptyListSchema<Item extends v.GenericSchema<unknown, unknown>>(item: Item, message: string) {
  return v.pipe(
    v.array(item, message),
    v.check((items) => items.length > 0, message),
  )
}

const API_KEY = v.pipe(
  v.strictObject(
    {
      name: createTextSchema(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, hyphens or underscores'),
      sha256: createTextSchema(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits'),
      may: createNonEmptyListSchema(
        v.picklist(PERMISSIONS, `must be one of ${PERMISSIONS.join(', ')}`),
        'must be a list of permissions',
      ),
      companies: createNonEmptyListSchema(
        createTextSchema(/^(\*|[A-Za-z0-9][\w-]{0,63}\*?)$/, 'must be a company key, or the start of one and *'),
        'must be a list of company keys',
      ),
      expires: v.optional(v.pipe(v.string('must be a date'), v.check(isTime, 'must be a date such as 2027-01-31'))),
    },
    'must have name, sha256, may, companies and, if it expires, expires',
  ),
  v.transform(({ sha256, expires, ...apiClient }) => ({
    ...apiClient,
    digest: sha256.toLowerCase(),
    expiresAt: expires === undefined ? undefined : Math.floor(Date.parse(expires) / 1000),
  })),
)
const NOT_A_LIST = 'must be a JSON array of keys'
/**
 * `API_KEYS`: a JSON array with one object for each key. `may` lists its permissions. `companies` lists company keys, or
 * prefixes that end in `*`. Two keys may have the same name, so that you can rotate a key without downtime.
 */
export const API_KEYS = v.pipe(
  TEXT,
  v.parseJson(undefined, NOT_A_LIST),
  createNonEmptyListSchema(API_KEY, NOT_A_LIST),
  v.check((keys) => new Set(keys.map(({ digest }) => digest)).size === keys.length, 'must hold each key once'),
)
