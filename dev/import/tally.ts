import * as v from 'valibot'

const count = v.pipe(v.number(), v.safeInteger())

/** Counts the records by outcome. Each record counts once. Checkpoint files store these names. */
export const TALLY = v.object({
  read: count,
  /** Written: there was no record, or one that was never connected. */
  imported: count,
  /** The same tokens are already stored. */
  unchanged: count,
  /** The record was written by hand with the same tokens. It got its hash and its index attributes. */
  completed: count,
  /** Not changed: the stored record is connected with other tokens, or disconnected. */
  kept: count,
  refused: count,
  /** Items that are not connections, such as OAuth states. */
  passedOver: count,
})

/** The counts of an import. */
export type Tally = v.InferOutput<typeof TALLY>
/** The outcome for one record. */
export type Outcome = Exclude<keyof Tally, 'read'>

/** The counts before the first record. */
export const EMPTY_TALLY: Tally = {
  read: 0,
  imported: 0,
  unchanged: 0,
  completed: 0,
  kept: 0,
  refused: 0,
  passedOver: 0,
}

/** Counts one more record. */
export const addOutcome = (tally: Tally, outcome: Outcome): Tally => ({
  ...tally,
  read: tally.read + 1,
  [outcome]: tally[outcome] + 1,
})

const WORDS: Record<Outcome, string> = {
  imported: 'imported',
  unchanged: 'unchanged',
  completed: 'completed',
  kept: 'kept',
  refused: 'rejected',
  passedOver: 'not connections',
}

/** `10,000 read: 9,990 imported, 10 rejected` */
export const formatTally = (tally: Tally, applied: boolean): string => {
  const parts = (Object.keys(WORDS) as Outcome[])
    .filter((outcome) => tally[outcome] > 0)
    .map((outcome) => `${tally[outcome].toLocaleString('en-US')} ${applied ? '' : 'to be '}${WORDS[outcome]}`)
  return `${tally.read.toLocaleString('en-US')} read${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`
}
