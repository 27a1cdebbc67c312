import { spawn } from 'node:child_process'
import { fail, takeOptions } from './arguments.ts'

const HELP = `
npm run test:fuzz -- [--requests NUMBER]
sends generated requests to the service, with a hostile Intuit and a damaged table. npm test runs a short version.

  --requests  the number of requests (default 100000)
`
const DEFAULT_REQUESTS = '100000'

const { requests = DEFAULT_REQUESTS } = takeOptions(HELP, { requests: { type: 'string' } })
if (!/^[1-9]\d{0,8}$/.test(requests)) fail('--requests must be a number.')

// Stops the test pool from looking up the location of this machine and from sending metrics.
const quiet = { CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false' }
const env = { ...process.env, ...quiet, FUZZ_REQUESTS: requests }
const tests = spawn('vitest', ['run', 'test/contract/fuzz.test.ts'], { env, stdio: 'inherit' })
tests.on('exit', (code) => {
  process.exitCode = code ?? 1
})
tests.on('error', () => fail('vitest is not installed. Run: npm install --include=dev'))
