import { type Env, readTextVariables } from '../src/config/variables.ts'
import { createAdminClient } from './admin-client.ts'
import { fail, takeOptions } from './arguments.ts'
import { type Check, formatCheck } from './doctor/check.ts'
import { diagnose } from './doctor/diagnose.ts'
import { listWranglerSecrets } from './doctor/worker-secrets.ts'
import { readEnvironment } from './environment.ts'

const HELP = `
npm run doctor: checks a set-up and says what to fix. Writes nothing and shows no secret.

  --vars FILE      the file with the configuration (default: .dev.vars if it exists)
  --env            checks the process environment
  --profile NAME   a profile of ~/.aws that can describe the table; the Worker's key cannot
  --local          skips the deployed Worker
  --json           prints JSON: {"ok": …, "checks": [{"check", "status", "detail", "todo"}]}

Checks the configuration with the plain variables of wrangler.toml, a request signed as the Worker signs it, the clock,
the table with its key, index, expiry and backups, and the names of the Worker's secrets.
Exit code 1 if any check fails.
`
const OPTIONS = {
  vars: { type: 'string' },
  env: { type: 'boolean', default: false },
  profile: { type: 'string' },
  local: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

/** Reads the plain variables of `wrangler.toml`, as they would be deployed. */
const readPlainVariables = async (): Promise<Env> => {
  const { unstable_readConfig: readConfig } = await import('wrangler')
  return readConfig({ config: 'wrangler.toml' }, { hideWarnings: true }).vars
}

const printChecks = (checks: Check[], origin: string, asJson: boolean) => {
  const ok = checks.every(({ status }) => status !== 'fail')
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ ok, checks }, null, 2)}\n`)
    return ok
  }
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length
  process.stdout.write(`Configuration: ${origin}\n\n${checks.map(formatCheck).join('\n')}\n\n`)
  process.stdout.write(
    `${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failed, ${count('skip')} skipped\n`,
  )
  return ok
}

const run = async () => {
  const { vars: file, env: useProcessEnvironment, profile, local, json } = takeOptions(HELP, OPTIONS)
  const { variables: own, origin } = readEnvironment(file, useProcessEnvironment)
  const plain = await readPlainVariables()
  const env = { ...plain, ...own }
  const checks = await diagnose({
    env,
    plain: Object.keys(plain),
    client: createAdminClient(readTextVariables(env), profile),
    runtime: {
      fetch,
      now: () => Date.now(),
      sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      random: () => Math.random(),
    },
    listSecrets: local ? undefined : listWranglerSecrets,
  })
  process.exitCode = printChecks(checks, origin, json) ? 0 : 1
}

run().catch((error: unknown) => fail(error instanceof Error ? `${error.name}: ${error.message}` : 'The doctor failed.'))
