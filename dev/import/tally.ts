import * as v from 'valibot'

const count = v.pipe(v.number(), v.safeInteger())

/** What became of the records that were read. Each counts once. */
export const TALLY = v.object({
  read: count,
  /** Written, where there was none or one that was never connected. */
  imported: count,
  /** The same tokens are stored already. */
  unchanged: count,
  /** The same tokens were stored, by hand: the record got its hash and its place in the index. */
  completed: count,
  /** Left as it is: connected with other tokens, or disconnected, meanwhile. */
  kept: count,
  refused: count,
  /** Items that are no connections, such as OAuth states. */
  passedOver: count,
})

export type Tally = v.InferOutput<typeof TALLY>
export type Outcome = Exclude<keyof Tally, 'read'>

export const NOTHING: Tally = { read: 0, imported: 0, unchanged: 0, completed: 0, kept: 0, refused: 0, passedOver: 0 }

/** One more record, with what became of it. */
export const addToWindow = (tally: Tally, outcome: Outcome): Tally => ({
  ...tally,
  read: tally.read + 1,
  [outcome]: tally[outcome] + 1,
})

const WORDS: Record<Outcome, string> = {
  imported: 'imported',
  unchanged: 'there already',
  completed: 'completed',
  kept: 'kept',
  refused: 'refused',
  passedOver: 'no connections',
}

/** `10,000 read: 9,990 imported, 10 refused` */
export const tallyText = (tally: Tally, applied: boolean): string => {
  const parts = (Object.keys(WORDS) as Outcome[])
    .filter((outcome) => tally[outcome] > 0)
    .map((outcome) => `${tally[outcome].toLocaleString('en-US')} ${applied ? '' : 'to be '}${WORDS[outcome]}`)
  return `${tally.read.toLocaleString('en-US')} read${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`
}
