import { spawn } from 'node:child_process'
import { fail, takeOptions } from './arguments.ts'

const HELP = `
npm run test:fuzz -- [--requests NUMBER]
sends the service generated requests, and stands for a hostile Intuit and a damaged table. npm test does so in short.

  --requests  how many (default 100000)
`
const DEFAULT_REQUESTS = '100000'

const { requests = DEFAULT_REQUESTS } = takeOptions(HELP, { requests: { type: 'string' } })
if (!/^[1-9]\d{0,8}$/.test(requests)) fail('--requests must be a number.')

// The test pool would ask the network where this machine is, and send usage figures.
const quiet = { CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false' }
const env = { ...process.env, ...quiet, FUZZ_REQUESTS: requests }
const tests = spawn('vitest', ['run', 'test/contract/fuzz.test.ts'], { env, stdio: 'inherit' })
tests.on('exit', (code) => {
  process.exitCode = code ?? 1
})
tests.on('error', () => fail('vitest is not installed. Run: npm install --include=dev'))
