import { spawn } from 'node:child_process'
import { fail } from './arguments.ts'
import { clearAwsSettings } from './local-environment.ts'

// The test pool would ask the network where this machine is, and send usage figures.
const env: NodeJS.ProcessEnv = { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false' }
clearAwsSettings(env)

/** `npm test`: vitest with what follows as its arguments. */
const tests = spawn('vitest', ['run', ...process.argv.slice(2)], { env, stdio: 'inherit' })
tests.on('exit', (code) => {
  process.exitCode = code ?? 1
})
tests.on('error', () => fail('vitest is not installed. Run: npm install --include=dev'))
