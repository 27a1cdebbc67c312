import { createHash, randomBytes } from 'node:crypto'
import { readConfig } from '../src/config/config.ts'
import { fail, takeOptions } from './arguments.ts'

/** Beyond that it is a mistyped year rather than an intention. */
const MOST_YEARS = 10

const HELP = `
npm run keys:new -- --name NAME --may PERMISSIONS --companies KEYS [--expires DATE]
makes an API key for one caller. Prints the key, this once, and its entry in API_KEYS.

  --name       who calls; stands in the log. A key that follows another one may have its name
  --may        token:read, token:refresh, connection:read, connection:write, comma-separated
  --companies  company keys, comma-separated; acme-* stands for all that begin so, * for all
  --expires    a day such as 2027-01-31, from whose beginning (UTC) the key is wrong, or an RFC 3339 time; not in the
               past, and ${MOST_YEARS} years ahead at most

Nothing is stored. API_KEYS is the JSON array of all entries: wrangler secret put API_KEYS.
`
/** The beginning tells a person, and a scanner for leaked secrets, what it is. */
const KEY_PREFIX = 'qbtb_'
const KEY_BYTES = 32

/** What the Worker would accept, and yet nobody means. `expires` is well-formed. */
const expiryFault = (expires: string, now: Date): string | undefined => {
  const at = new Date(expires)
  if (at <= now) return `--expires ${expires} is over: the key would be wrong from its beginning.`
  const latest = new Date(now)
  latest.setUTCFullYear(now.getUTCFullYear() + MOST_YEARS)
  return at > latest ? `--expires ${expires} is more than ${MOST_YEARS} years away. Is the year right?` : undefined
}

const list = (text: string) => text.split(',').map((item) => item.trim())

/** The fault of an entry in the words of the options that it was made of. */
const faultIn = (message: string) =>
  message.replace(/^[^:]*: /, '').replaceAll(/API_KEYS\.0\.([a-z]+)(\.\d+)?/g, '--$1')

/** Throws where the Worker would not accept the entry. */
const checked = <Entry extends object>(entry: Entry): Entry => {
  readConfig({ API_KEYS: JSON.stringify([entry]) }).access()
  return entry
}

const make = () => {
  const { name, may, companies, expires } = takeOptions(HELP, {
    name: { type: 'string' },
    may: { type: 'string' },
    companies: { type: 'string' },
    expires: { type: 'string' },
  })
  if (!name || !may || !companies) return fail('Give --name, --may and --companies. See --help.')
  const key = KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url')
  const sha256 = createHash('sha256').update(key).digest('hex')
  const entry = checked({
    ...{ name, sha256, may: list(may), companies: list(companies) },
    ...(expires === undefined ? {} : { expires }),
  })
  const fault = expires === undefined ? undefined : expiryFault(expires, new Date())
  if (fault) return fail(fault)
  process.stdout.write(`The key, shown this once:\n${key}\n\nIts entry in API_KEYS:\n${JSON.stringify(entry)}\n`)
}

try {
  make()
} catch (error) {
  fail(error instanceof Error ? faultIn(error.message) : 'The key could not be made.')
}
