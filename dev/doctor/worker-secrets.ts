import { execFile } from 'node:child_process'
import * as v from 'valibot'
import type { Variables } from '../environment.ts'
import { type Check, findings } from './check.ts'

/** Names of the Worker's secrets, or `undefined` where wrangler is not logged in. Never values: Cloudflare does not tell them. */
export type ListSecrets = () => Promise<string[] | undefined>

const LISTING = v.array(v.object({ name: v.string() }))
const PATIENCE_MS = 30_000

/** Asks Cloudflare by `wrangler secret list`. */
export const wranglerSecrets: ListSecrets = () =>
  new Promise((resolve) => {
    const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' }
    const options = { env, timeout: PATIENCE_MS, encoding: 'utf8' } as const
    execFile('wrangler', ['secret', 'list', '--format', 'json'], options, (error, stdout) => {
      if (error) return resolve(undefined)
      try {
        resolve(v.parse(LISTING, JSON.parse(stdout)).map(({ name }) => name))
      } catch {
        resolve(undefined)
      }
    }).stdin?.end()
  })

/** Variables that the deployed Worker has to have besides those that are set here. */
const NEEDED = ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'DYNAMODB_TABLE', 'QUICKBOOKS_REDIRECT_URI']
const OURS = /^(API_KEYS?|AWS_\w+|DYNAMODB_\w+|QUICKBOOKS_\w+|TOKEN_ENCRYPTION_KEYS)$/

/** Whether the deployed Worker has the variables that this configuration has, by name. `plain`: those of `wrangler.toml`. */
export const checkWorkerSecrets = async (variables: Variables, plain: string[], list: ListSecrets): Promise<Check> => {
  const { ok, fail, skip } = findings('secrets on the Worker')
  const secrets = await list()
  if (!secrets)
    return skip(
      'wrangler is not logged in, or the Worker was never deployed',
      'npx wrangler login, then run this again.',
    )
  const there = new Set([...secrets, ...plain])
  if (secrets.length === 0)
    return fail('the Worker has none', 'npx wrangler whoami: is it the right account? Then docs/deploy.md, step 5.')
  const set = Object.keys(variables).filter((name) => OURS.test(name) && variables[name])
  const missing = [...new Set([...NEEDED, ...set])].filter((name) => !there.has(name))
  if (!there.has('API_KEY') && !there.has('API_KEYS') && !missing.includes('API_KEY')) missing.push('API_KEY')
  return missing.length === 0
    ? ok(`all ${there.size} are there`)
    : fail(`the Worker lacks ${missing.join(', ')}`, 'npx wrangler secret put NAME, for each.')
}
