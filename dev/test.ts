import { spawn } from 'node:child_process'

// The test pool would ask the network where this machine is, and send usage figures.
const env = { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false' }

/** `npm test`: vitest with what follows as its arguments. */
const tests = spawn('vitest', ['run', ...process.argv.slice(2)], { env, stdio: 'inherit' })
tests.on('exit', (code) => {
  process.exitCode = code ?? 1
})
