import { type Env, readTextVariables } from '../src/config/variables.ts'
import { adminClient } from './admin-client.ts'
import { fail, takeOptions } from './arguments.ts'
import { type Check, checkText } from './doctor/check.ts'
import { diagnose } from './doctor/diagnose.ts'
import { wranglerSecrets } from './doctor/worker-secrets.ts'
import { readEnvironment } from './environment.ts'

const HELP = `
npm run doctor: looks at a set-up and says what to do. Writes nothing and shows no secret.

  --vars FILE      the configuration to look at (default: .dev.vars where there is one)
  --env            look at the process environment
  --profile NAME   a profile of ~/.aws for describing the table, which the Worker's own key may not
  --local          leave the deployed Worker out
  --json           for programs: {"ok": …, "checks": [{"check", "status", "detail", "todo"}]}

Reads the configuration (plain variables of wrangler.toml included), signs a request as the Worker does, compares the
clocks, looks at the table, its key, index, expiry and backups, and at the names of the Worker's secrets.
Exit code 1 if any check fails.
`
const OPTIONS = {
  vars: { type: 'string' },
  env: { type: 'boolean', default: false },
  profile: { type: 'string' },
  local: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

/** Plain variables of `wrangler.toml`, as they would be deployed. */
const plainVariables = async (): Promise<Env> => {
  const { unstable_readConfig: readConfig } = await import('wrangler')
  return readConfig({ config: 'wrangler.toml' }, { hideWarnings: true }).vars
}

const print = (checks: Check[], origin: string, asJson: boolean) => {
  const ok = checks.every(({ status }) => status !== 'fail')
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ ok, checks }, null, 2)}\n`)
    return ok
  }
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length
  process.stdout.write(`The configuration is of ${origin}.\n\n${checks.map(checkText).join('\n')}\n\n`)
  process.stdout.write(
    `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} to mend, ${count('skip')} not looked at\n`,
  )
  return ok
}

const run = async () => {
  const { vars: file, env: ownEnvironment, profile, local, json } = takeOptions(HELP, OPTIONS)
  const { variables: own, origin } = readEnvironment(file, ownEnvironment)
  const plain = await plainVariables()
  const env = { ...plain, ...own }
  const checks = await diagnose({
    env,
    plain: Object.keys(plain),
    client: adminClient(readTextVariables(env), profile),
    runtime: {
      fetch,
      now: () => Date.now(),
      sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      random: () => Math.random(),
    },
    listSecrets: local ? undefined : wranglerSecrets,
  })
  process.exitCode = print(checks, origin, json) ? 0 : 1
}

run().catch((error: unknown) => fail(error instanceof Error ? `${error.name}: ${error.message}` : 'The doctor failed.'))
