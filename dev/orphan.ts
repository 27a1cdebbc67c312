import { execFileSync } from 'node:child_process'
import { isRunning } from './is-running.ts'

const EVERY_MS = 500

/** The process that began `npm run`: the parent of the shell that runs our script. */
const npmProcess = (): number | undefined => {
  if (process.platform === 'win32' || process.env['npm_lifecycle_event'] === undefined) return undefined
  try {
    return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(process.ppid)], { encoding: 'utf8' }))
  } catch {
    return undefined
  }
}

/** Calls back when npm is gone: it leaves its shell's child behind when a signal is sent to npm alone. */
export const whenOrphaned = (end: () => void): void => {
  const npm = npmProcess()
  if (!npm || npm <= 1) return
  const watch = setInterval(() => {
    if (isRunning(npm)) return
    clearInterval(watch)
    end()
  }, EVERY_MS)
  watch.unref()
}
