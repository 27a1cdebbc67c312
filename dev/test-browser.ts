import { spawn } from 'node:child_process'
import { takeNoArguments } from './arguments.ts'

const HELP = `
npm run test:browser: tests every page in Chromium and saves a screenshot of each in docs/images.

  CHROMIUM  the browser's path (default: Debian's chromium, or Google Chrome)

npm test runs the same tests without screenshots.
`
takeNoArguments(HELP)

const env = { ...process.env, SCREENSHOTS: 'yes' }
const tests = spawn(process.execPath, ['dev/test.ts', 'test/browser'], { env, stdio: 'inherit' })
tests.on('exit', (code) => {
  process.exitCode = code ?? 1
})
