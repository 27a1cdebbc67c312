import { execFileSync } from 'node:child_process'
import { isRunning } from './is-running.ts'

const EVERY_MS = 500

/** The process id of `npm run`: the parent of the shell that runs this script. */
const findNpmProcess = (): number | undefined => {
  if (process.platform === 'win32' || process.env['npm_lifecycle_event'] === undefined) return undefined
  try {
    return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(process.ppid)], { encoding: 'utf8' }))
  } catch {
    return undefined
  }
}

/** Calls `end` when npm has ended. A signal to npm alone does not end the script that it runs. */
export const onOrphaned = (end: () => void): void => {
  const npm = findNpmProcess()
  if (!npm || npm <= 1) return
  const watch = setInterval(() => {
    if (isRunning(npm)) return
    clearInterval(watch)
    end()
  }, EVERY_MS)
  watch.unref()
}
