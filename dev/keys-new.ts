import { createHash, randomBytes } from 'node:crypto'
import { readConfig } from '../src/config/config.ts'
import { fail, takeOptions } from './arguments.ts'

/** A later year is probably a typing error. */
const MAX_YEARS = 10

const HELP = `
npm run keys:new -- --name NAME --may PERMISSIONS --companies KEYS [--expires DATE]
creates an API key for one caller. Prints the key once, and its entry for API_KEYS.

  --name       the caller, for the log. A key that replaces another one can have the same name
  --may        token:read, token:refresh, connection:read, connection:write, comma-separated
  --companies  company keys, comma-separated; acme-* matches keys with that prefix, * matches all
  --expires    a day such as 2027-01-31, at whose start (UTC) the key expires, or an RFC 3339 time; in the future, within
               ${MAX_YEARS} years

Nothing is stored. API_KEYS is the JSON array of all entries: wrangler secret put API_KEYS.
`
/** The prefix identifies the key to people and to scanners for leaked secrets. */
const KEY_PREFIX = 'qbtb_'
const KEY_BYTES = 32

/** Finds expiries that the Worker accepts but nobody intends. `expires` is well-formed. */
const findExpiryFault = (expires: string, now: Date): string | undefined => {
  const at = new Date(expires)
  if (at <= now) return `--expires ${expires} is in the past: the key would never be valid.`
  const latest = new Date(now)
  latest.setUTCFullYear(now.getUTCFullYear() + MAX_YEARS)
  return at > latest ? `--expires ${expires} is more than ${MAX_YEARS} years away. Is the year right?` : undefined
}

const parseList = (text: string) => text.split(',').map((item) => item.trim())

/** Replaces the members of the entry in a message by the options of this command. */
const toOptionNames = (message: string) =>
  message.replace(/^[^:]*: /, '').replaceAll(/API_KEYS\.0\.([a-z]+)(\.\d+)?/g, '--$1')

/** Returns the entry. Throws if the Worker would reject it. */
const requireValid = <Entry extends object>(entry: Entry): Entry => {
  readConfig({ API_KEYS: JSON.stringify([entry]) }).access()
  return entry
}

const createKey = () => {
  const { name, may, companies, expires } = takeOptions(HELP, {
    name: { type: 'string' },
    may: { type: 'string' },
    companies: { type: 'string' },
    expires: { type: 'string' },
  })
  if (!name || !may || !companies) return fail('Give --name, --may and --companies. See --help.')
  const key = KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url')
  const sha256 = createHash('sha256').update(key).digest('hex')
  const entry = requireValid({
    ...{ name, sha256, may: parseList(may), companies: parseList(companies) },
    ...(expires === undefined ? {} : { expires }),
  })
  const fault = expires === undefined ? undefined : findExpiryFault(expires, new Date())
  if (fault) return fail(fault)
  process.stdout.write(`The key, shown only once:\n${key}\n\nIts entry for API_KEYS:\n${JSON.stringify(entry)}\n`)
}

try {
  createKey()
} catch (error) {
  fail(error instanceof Error ? toOptionNames(error.message) : 'The key could not be created.')
}
