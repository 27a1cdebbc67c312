import { spawn } from 'node:child_process'
import { fail } from './arguments.ts'
import { clearAwsSettings } from './local-environment.ts'

// Stops the test pool from looking up the location of this machine and from sending metrics.
const env: NodeJS.ProcessEnv = { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false' }
clearAwsSettings(env)

const given = process.argv.slice(2)
/** Without arguments, runs the tests that take minutes. `npm run test:long` runs the rest. */
const projects = given.length === 0 ? ['--project', 'node', '--project', 'workerd'] : []

/** `npm test` passes its arguments to vitest. */
const tests = spawn('vitest', ['run', ...projects, ...given], { env, stdio: 'inherit' })
tests.on('exit', (code) => {
  process.exitCode = code ?? 1
})
tests.on('error', () => fail('vitest is not installed. Run: npm install --include=dev'))
