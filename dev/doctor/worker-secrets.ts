import { execFile } from 'node:child_process'
import * as v from 'valibot'
import type { Variables } from '../environment.ts'
import { type Check, createResults } from './check.ts'

/** Lists the names of the Worker's secrets. `undefined` if wrangler is not logged in. Cloudflare never returns their values. */
export type ListSecrets = () => Promise<string[] | undefined>

const LISTING = v.array(v.object({ name: v.string() }))
const TIMEOUT_MS = 30_000

/** Runs `wrangler secret list`. */
export const listWranglerSecrets: ListSecrets = () =>
  new Promise((resolve) => {
    const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' }
    const options = { env, timeout: TIMEOUT_MS, encoding: 'utf8' } as const
    execFile('wrangler', ['secret', 'list', '--format', 'json'], options, (error, stdout) => {
      if (error) return resolve(undefined)
      try {
        resolve(v.parse(LISTING, JSON.parse(stdout)).map(({ name }) => name))
      } catch {
        resolve(undefined)
      }
    }).stdin?.end()
  })

/** Variables that the deployed Worker needs in any case. */
const REQUIRED = [
  'AWS_REGION',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'DYNAMODB_TABLE',
  'QUICKBOOKS_REDIRECT_URI',
]
const SECRET_VARIABLES = /^(API_KEYS?|AWS_\w+|DYNAMODB_\w+|QUICKBOOKS_\w+|TOKEN_ENCRYPTION_KEYS)$/

/** Checks by name that the deployed Worker has the variables of this configuration. `plain`: those of `wrangler.toml`. */
export const checkWorkerSecrets = async (variables: Variables, plain: string[], list: ListSecrets): Promise<Check> => {
  const { ok, fail, skip } = createResults('secrets on the Worker')
  const secrets = await list()
  if (!secrets)
    return skip(
      'wrangler is not logged in, or the Worker was never deployed',
      'Run npx wrangler login, then run this again.',
    )
  const present = new Set([...secrets, ...plain])
  if (secrets.length === 0)
    return fail('the Worker has none', 'npx wrangler whoami: is it the right account? Then docs/deploy.md, step 5.')
  const set = Object.keys(variables).filter((name) => SECRET_VARIABLES.test(name) && variables[name])
  const missing = [...new Set([...REQUIRED, ...set])].filter((name) => !present.has(name))
  if (!present.has('API_KEY') && !present.has('API_KEYS') && !missing.includes('API_KEY')) missing.push('API_KEY')
  return missing.length === 0
    ? ok(`all ${present.size} are set`)
    : fail(`the Worker lacks ${missing.join(', ')}`, 'npx wrangler secret put NAME, for each.')
}
