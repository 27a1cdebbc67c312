import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRunning } from './is-running.ts'

const owner = (path: string) => {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** Keeps a data folder to one process. `false` if another living one has it; what a dead one left is taken over. */
export const lockFolder = (folder: string): boolean => {
  const path = join(folder, 'running.pid')
  const holder = owner(path)
  if (holder && holder !== process.pid && isRunning(holder)) return false
  writeFileSync(path, String(process.pid))
  process.once('exit', () => rmSync(path, { force: true }))
  return true
}
