import type { ResealTally } from './reseal.ts'

const MINUTE_SECONDS = 60

/** Records that were looked at. */
export const doneOf = ({ resealed, inOrder, busy, unreadable, failed }: ResealTally) =>
  resealed + inOrder + busy + unreadable + failed

export const summaryText = (tally: ResealTally, dryRun: boolean) => {
  const { resealed, inOrder, busy, unreadable, failed, cutShort } = tally
  return `${resealed} ${dryRun ? 'to be sealed anew' : 'sealed anew'}, ${inOrder} in order, ${busy} in use, ${unreadable} unreadable, ${failed} failed; ${cutShort} cut short`
}

const durationText = (seconds: number) =>
  seconds < MINUTE_SECONDS ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / MINUTE_SECONDS)} min`

interface Progress {
  tally: ResealTally
  /** Records of the table, about; `undefined` where nobody told. */
  total: number | undefined
  elapsedMs: number
}

/** `1200 of about 10000, 310 a second, 29 s left` */
export const progressText = ({ tally, total, elapsedMs }: Progress) => {
  const done = doneOf(tally)
  const rate = elapsedMs > 0 ? (done * 1000) / elapsedMs : 0
  const of = total === undefined ? `${done}` : `${done} of about ${Math.max(total, done)}`
  const left = total !== undefined && rate > 0 ? `, ${durationText(Math.max(0, total - done) / rate)} left` : ''
  return `${of}, ${Math.round(rate)} a second${left}`
}

interface Screen {
  isTTY?: boolean
  write(text: string): unknown
}

const REDRAW_MS = 200
const LINE_EVERY_MS = 10_000
const ERASE_LINE = '\r\u001b[K'

/** Shows progress: on a terminal in one line that is drawn anew, elsewhere by a line every ten seconds. */
export const createProgress = (screen: Screen, total: number | undefined, now: () => number) => {
  const startedAt = now()
  let shownAt = startedAt
  let isDrawn = false
  const clear = () => {
    if (isDrawn) screen.write(ERASE_LINE)
    isDrawn = false
  }
  return {
    show(tally: ResealTally): void {
      if (now() - shownAt < (screen.isTTY ? REDRAW_MS : LINE_EVERY_MS)) return
      shownAt = now()
      const text = progressText({ tally, total, elapsedMs: shownAt - startedAt })
      screen.write(screen.isTTY ? `${ERASE_LINE}${text}` : `${text}\n`)
      isDrawn = screen.isTTY === true
    },
    /** Makes room for another line. */
    clear,
  }
}
