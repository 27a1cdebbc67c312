/** Counts of connection records. */
export interface Tally {
  /** Re-encrypted; in a dry run, records to re-encrypt. */
  reencrypted: number
  /** Every token is encrypted with the first key, or there is none. */
  upToDate: number
  /** In use by refreshes during every attempt. */
  busy: number
  unreadable: number
  /** Unchanged because DynamoDB rejected the read or the write. */
  failed: number
  /** Of all these: the last refresh was cut short, so a token pair encrypted with an older key may be parked. */
  cutShort: number
}

/** The result for one record. */
export type Outcome = Exclude<keyof Tally, 'cutShort'>

/** A tally of zeros. */
export const createTally = (): Tally => ({
  reencrypted: 0,
  upToDate: 0,
  busy: 0,
  unreadable: 0,
  failed: 0,
  cutShort: 0,
})

/** The number of processed records. */
export const countProcessed = ({ reencrypted, upToDate, busy, unreadable, failed }: Tally): number =>
  reencrypted + upToDate + busy + unreadable + failed

/** Whether a complete run left no plain token, so that `REQUIRE_SEALED` locks no company out. */
export const isComplete = ({ busy, unreadable, failed, cutShort }: Tally): boolean =>
  busy + unreadable + failed + cutShort === 0

/** Whether `REQUIRE_SEALED=true` can be set after this run. */
export const formatAdvice = (tally: Tally, dryRun: boolean): string =>
  isComplete(tally) && (!dryRun || tally.reencrypted === 0)
    ? 'No plain token is left: you can set REQUIRE_SEALED=true on the Worker.'
    : 'Leave REQUIRE_SEALED unset until a run re-encrypts or finds up to date every record.'

/** `2 re-encrypted, 10 up to date, 0 in use, 0 unreadable, 0 failed; 0 cut short` */
export const formatSummary = (tally: Tally, dryRun: boolean): string => {
  const { reencrypted, upToDate, busy, unreadable, failed, cutShort } = tally
  return `${reencrypted} ${dryRun ? 'to re-encrypt' : 're-encrypted'}, ${upToDate} up to date, ${busy} in use, ${unreadable} unreadable, ${failed} failed; ${cutShort} cut short`
}
