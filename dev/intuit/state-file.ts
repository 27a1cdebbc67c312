import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import * as v from 'valibot'
import { createState, STATE, type State } from './state.ts'

const isAbsent = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'

/** Reads the state of an earlier run. If the file is absent or damaged, returns a new state; stderr names a damaged file. */
export const readState = (path: string): State => {
  try {
    return v.parse(STATE, JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    if (!isAbsent(error)) {
      process.stderr.write(`The Intuit stand-in cannot read ${path} and starts without its connections.\n`)
    }
    return createState()
  }
}

/** Writes a new file and renames it, so that a crash leaves the old state or the new one. */
export const writeState = (path: string, state: State): void => {
  writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
