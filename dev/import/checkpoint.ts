import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import * as v from 'valibot'
import { EMPTY_TALLY, TALLY, type Tally } from './tally.ts'

const CHECKPOINT = v.object({ source: v.string(), target: v.string(), next: v.unknown(), tally: TALLY })

/** The progress of an import, so that an interrupted import can continue. */
export interface Checkpoint {
  /** Where to start, and the counts so far. */
  begin(): { from: unknown; tally: Tally }
  save(next: unknown, tally: Tally): void
  remove(): void
}

/** For dry runs, which start from the beginning each time. */
export const noCheckpoint: Checkpoint = {
  begin: () => ({ from: undefined, tally: EMPTY_TALLY }),
  save: () => undefined,
  remove: () => undefined,
}

const readCheckpoint = (path: string) => {
  try {
    return v.parse(CHECKPOINT, JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    throw new Error(`${path} is damaged. Remove it and run the import again. It imports no record twice.`)
  }
}

/** A checkpoint in a file, for one source and target. `begin` throws if the file is damaged or belongs to another import. */
export const createFileCheckpoint = (path: string, source: string, target: string): Checkpoint => ({
  begin() {
    if (!existsSync(path)) return { from: undefined, tally: EMPTY_TALLY }
    const saved = readCheckpoint(path)
    if (saved.source === source && saved.target === target) return { from: saved.next, tally: saved.tally }
    throw new Error(
      `${path} belongs to another import (${saved.source} into ${saved.target}). Remove it, or choose another --checkpoint.`,
    )
  },
  save(next, tally) {
    // Writes a new file and renames it, so that a crash leaves the old checkpoint.
    writeFileSync(`${path}.new`, JSON.stringify({ source, target, next, tally }), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  },
  remove: () => rmSync(path, { force: true }),
})
