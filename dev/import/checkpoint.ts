import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import * as v from 'valibot'
import { NOTHING, TALLY, type Tally } from './tally.ts'

const CHECKPOINT = v.object({ source: v.string(), target: v.string(), next: v.unknown(), tally: TALLY })

/** How far an import has come, in a file, so that one that was killed goes on where it was. */
export interface Checkpoint {
  /** Where to begin, and what was done before. */
  begin(): { from: unknown; tally: Tally }
  save(next: unknown, tally: Tally): void
  remove(): void
}

/** A dry run begins anew each time. */
export const noCheckpoint: Checkpoint = {
  begin: () => ({ from: undefined, tally: NOTHING }),
  save: () => undefined,
  remove: () => undefined,
}

const readCheckpoint = (path: string) => {
  try {
    return v.parse(CHECKPOINT, JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    throw new Error(`${path} is damaged. Remove it: an import that begins anew takes nothing twice.`)
  }
}

/** The checkpoint of one source and target. `begin` throws where the file is another import's or damaged. */
export const fileCheckpoint = (path: string, source: string, target: string): Checkpoint => ({
  begin() {
    if (!existsSync(path)) return { from: undefined, tally: NOTHING }
    const saved = readCheckpoint(path)
    if (saved.source === source && saved.target === target) return { from: saved.next, tally: saved.tally }
    throw new Error(
      `${path} belongs to another import (${saved.source} into ${saved.target}). Remove it, or name another --checkpoint.`,
    )
  },
  save(next, tally) {
    // Renamed into place: a process that is killed while it writes leaves the one before.
    writeFileSync(`${path}.new`, JSON.stringify({ source, target, next, tally }), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  },
  remove: () => rmSync(path, { force: true }),
})
