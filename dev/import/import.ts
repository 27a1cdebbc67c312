import type { Vault } from '../../src/broker/ports/crypto.ts'
import type { Checkpoint } from './checkpoint.ts'
import { readRecord, toItem } from './record.ts'
import type { Found, Source } from './source.ts'
import { addOutcome, type Outcome, type Tally } from './tally.ts'
import type { Target } from './target.ts'

/** Concurrent writes: enough to hide round trips, few enough for a new on-demand table. */
const CONCURRENCY = 20

export interface ImportDeps {
  source: Source
  target: Target
  checkpoint: Checkpoint
  vault: Vault
  /** Epoch seconds. */
  now: () => number
  /** Called for each record that is rejected or kept, with its place and the reason. */
  onSkipped: (text: string) => void
  /** After each page. */
  onProgress: (tally: Tally) => void
}

/** Shown characters of a malformed key, which may be another value in the wrong column. */
const SHOWN_CHARACTERS = 12

const formatKey = ({ place, values }: Found) => {
  const key = values?.['company_key'] ?? values?.['pk']
  if (typeof key !== 'string') return place
  const isKey = /^(connection#)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(key) && !/^(RT1|AB1|XAB)/.test(key)
  return `${place}, ${isKey ? key : `${JSON.stringify(key.slice(0, SHOWN_CHARACTERS))}…`}`
}

/**
 * Imports the records of a source into a target. An interrupted import continues at its checkpoint. Throws the errors of the
 * source and the target.
 */
export const importRecords = async (deps: ImportDeps): Promise<Tally> => {
  const { source, target, checkpoint, vault, now, onSkipped, onProgress } = deps

  const importOne = async (found: Found): Promise<Outcome> => {
    const reading = found.values
      ? readRecord(found.values)
      : { outcome: 'rejected' as const, reason: found.fault ?? 'is not a JSON object' }
    if (reading.outcome === 'skipped') return 'passedOver'
    if (reading.outcome === 'rejected') {
      onSkipped(`rejected ${formatKey(found)}: ${reading.reason}`)
      return 'refused'
    }
    const { outcome, reason } = await target.put(await toItem(reading.record, vault, now()))
    if (reason) onSkipped(`kept     ${formatKey(found)}: ${reason}`)
    return outcome
  }

  let { from, tally } = checkpoint.begin()
  for await (const { found, next } of source.pages(from)) {
    for (let first = 0; first < found.length; first += CONCURRENCY) {
      const outcomes = await Promise.all(found.slice(first, first + CONCURRENCY).map(importOne))
      tally = outcomes.reduce(addOutcome, tally)
    }
    from = next
    if (next !== undefined) checkpoint.save(next, tally)
    onProgress(tally)
  }
  checkpoint.remove()
  return tally
}
