import { countProcessed, type Tally } from './tally.ts'

const MINUTE_SECONDS = 60

const formatDuration = (seconds: number) =>
  seconds < MINUTE_SECONDS ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / MINUTE_SECONDS)} min`

interface Progress {
  tally: Tally
  /** Approximate number of records in the table; `undefined` if unknown. */
  total: number | undefined
  elapsedMs: number
}

/** `1200 of about 10000, 310 a second, 29 s left` */
export const formatProgress = ({ tally, total, elapsedMs }: Progress): string => {
  const done = countProcessed(tally)
  const rate = elapsedMs > 0 ? (done * 1000) / elapsedMs : 0
  const count = total === undefined ? `${done}` : `${done} of about ${Math.max(total, done)}`
  const left = total !== undefined && rate > 0 ? `, ${formatDuration(Math.max(0, total - done) / rate)} left` : ''
  return `${count}, ${Math.round(rate)} a second${left}`
}

interface Screen {
  isTTY?: boolean
  write(text: string): unknown
}

const REDRAW_MS = 200
const LINE_EVERY_MS = 10_000
const ERASE_LINE = '\r\u001b[K'

/** Shows progress: redraws one line on a terminal, and writes a line every ten seconds elsewhere. */
export const createProgress = (screen: Screen, total: number | undefined, now: () => number) => {
  const startedAt = now()
  let shownAt = startedAt
  let isDrawn = false
  const clear = () => {
    if (isDrawn) screen.write(ERASE_LINE)
    isDrawn = false
  }
  return {
    show(tally: Tally): void {
      if (now() - shownAt < (screen.isTTY ? REDRAW_MS : LINE_EVERY_MS)) return
      shownAt = now()
      const text = formatProgress({ tally, total, elapsedMs: shownAt - startedAt })
      screen.write(screen.isTTY ? `${ERASE_LINE}${text}` : `${text}\n`)
      isDrawn = screen.isTTY === true
    },
    /** Erases the line, so that another one can be written. */
    clear,
  }
}
