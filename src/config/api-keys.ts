import * as v from 'valibot'
import { PERMISSIONS } from '../broker/api-client.ts'
import { TEXT } from './formats.ts'

function isDay(day: string) {
  const time = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day)
}
/** RFC 3339: a day, which begins at 00:00 UTC, or a time with its offset. */
function isTime(given: string) {
  return (
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?$/.test(given) &&
    isDay(given.slice(0, 10)) &&
    !Number.isNaN(Date.parse(given))
  )
}

/** Text of a form. valibot's own messages quote what they got; ours must not. */
function formed(form: RegExp, message: string) {
  return v.pipe(v.string(message), v.regex(form, message))
}
function some<Item extends v.GenericSchema<unknown, unknown>>(item: Item, message: string) {
  return v.pipe(
    v.array(item, message),
    v.check((items) => items.length > 0, message),
  )
}

const API_KEY = v.pipe(
  v.strictObject(
    {
      name: formed(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, hyphens or underscores'),
      sha256: formed(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits'),
      may: some(v.picklist(PERMISSIONS, `must be one of ${PERMISSIONS.join(', ')}`), 'must be a list of permissions'),
      companies: some(
        formed(/^(\*|[A-Za-z0-9][\w-]{0,63}\*?)$/, 'must be a company key, or its beginning and *'),
        'must be a list of company keys',
      ),
      expires: v.optional(v.pipe(v.string('must be a date'), v.check(isTime, 'must be a date such as 2027-01-31'))),
    },
    'must have name, sha256, may, companies and, if it ends, expires',
  ),
  v.transform(({ sha256, expires, ...apiClient }) => ({
    ...apiClient,
    digest: sha256.toLowerCase(),
    expiresAt: expires === undefined ? undefined : Math.floor(Date.parse(expires) / 1000),
  })),
)
const NOT_A_LIST = 'must be a JSON array of keys'
/**
 * `API_KEYS`: a JSON array, one member for each key. `may` lists its permissions, `companies` the company keys that it is
 * for, each whole or its beginning and `*`. Two keys may have one name, so that one can follow the other without a gap.
 */
export const API_KEYS = v.pipe(
  TEXT,
  v.parseJson(undefined, NOT_A_LIST),
  some(API_KEY, NOT_A_LIST),
  v.check((keys) => new Set(keys.map(({ digest }) => digest)).size === keys.length, 'must hold each key once'),
)
