import type { Vault } from '../../src/broker/ports/crypto.ts'
import type { Checkpoint } from './checkpoint.ts'
import { readRecord, toItem } from './record.ts'
import type { Found, Source } from './source.ts'
import { addToWindow, type Outcome, type Tally } from './tally.ts'
import type { Target } from './target.ts'

/** Writes under way at once: enough to hide the round trips, few enough for a new on-demand table. */
const AT_ONCE = 20

export interface ImportParts {
  source: Source
  target: Target
  checkpoint: Checkpoint
  vault: Vault
  /** Epoch seconds. */
  now: () => number
  /** One record that was not taken over, for a person to look at. */
  onLeft: (text: string) => void
  /** After each page. */
  onProgress: (tally: Tally) => void
}

/** What a malformed key shows of itself: it may be something else in the wrong column. */
const FEW = 12

const keyText = ({ place, values }: Found) => {
  const key = values?.['company_key'] ?? values?.['pk']
  if (typeof key !== 'string') return place
  const isWhole = /^(connection#)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(key) && !/^(RT1|AB1|XAB)/.test(key)
  return `${place}, ${isWhole ? key : `${JSON.stringify(key.slice(0, FEW))}…`}`
}

/** Takes the records of an earlier table over. May be repeated and may be killed: it goes on at its checkpoint. Throws what the source or the target throws. */
export const importRecords = async (parts: ImportParts): Promise<Tally> => {
  const { source, target, checkpoint, vault, now, onLeft, onProgress } = parts

  const one = async (found: Found): Promise<Outcome> => {
    const reading = found.values
      ? readRecord(found.values)
      : { outcome: 'refused' as const, reason: found.fault ?? 'is no JSON object' }
    if (reading.outcome === 'passed over') return 'passedOver'
    if (reading.outcome === 'refused') {
      onLeft(`refused  ${keyText(found)}: ${reading.reason}`)
      return 'refused'
    }
    const { outcome, reason } = await target.put(await toItem(reading.record, vault, now()))
    if (reason) onLeft(`kept     ${keyText(found)}: ${reason}`)
    return outcome
  }

  let { from, tally } = checkpoint.begin()
  for await (const { found, next } of source.pages(from)) {
    for (let first = 0; first < found.length; first += AT_ONCE) {
      const outcomes = await Promise.all(found.slice(first, first + AT_ONCE).map(one))
      tally = outcomes.reduce(addToWindow, tally)
    }
    from = next
    if (next !== undefined) checkpoint.save(next, tally)
    onProgress(tally)
  }
  checkpoint.remove()
  return tally
}
