import { spawn } from 'node:child_process'
import { fail } from './arguments.ts'
import { clearAwsSettings } from './local-environment.ts'

// The test pool would ask the network where this machine is, and send usage figures.
const env: NodeJS.ProcessEnv = { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false' }
clearAwsSettings(env)

const given = process.argv.slice(2)
/** Without arguments: what fits into some minutes. The rest is `npm run test:long`. */
const projects = given.length === 0 ? ['--project', 'node', '--project', 'workerd'] : []

/** `npm test`: vitest with what follows as its arguments. */
const tests = spawn('vitest', ['run', ...projects, ...given], { env, stdio: 'inherit' })
tests.on('exit', (code) => {
  process.exitCode = code ?? 1
})
tests.on('error', () => fail('vitest is not installed. Run: npm install --include=dev'))
