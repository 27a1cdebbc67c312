import type { EpochMs } from '../broker/connection.ts'
import { Problem } from '../problem.ts'

/** A `Date` header has whole seconds, rounded down (RFC 9110 section 5.6.7). */
const RESOLUTION_MS = 1_000
/** Clocks with NTP differ by less, so a smaller offset counts as none. */
const TOLERANCE_MS = 2_000
/** The only format that servers may send. `Date.parse` also accepts `0` and `May`. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** The log event of a local clock that is too far off. */
export interface ClockSkew {
  event: 'clock_skew'
  /** How far the local clock is ahead of the table's. Negative: it is behind. */
  skew_seconds: number
  /** Whether this isolate still refreshes tokens. */
  acquires_leases: boolean
}

interface TableClockDeps {
  /** Local time, epoch milliseconds. */
  now(): EpochMs
  /** The allowed offset in ms. Beyond it, a warning is logged. Beyond twice that, no lease is acquired. */
  skewMs(): number
  log(event: ClockSkew): void
}

/** The time of the table, learned from its responses. */
export interface TableClock {
  /** The time of the table: local time plus the offset. */
  now(): EpochMs
  /** The offset in ms that `now` adds to local time. 0 before the first response. */
  offsetMs(): number
  /** Updates the offset. Call it as soon as a response has its headers. `sentAt` is local time. */
  measure(headers: Headers, sentAt: EpochMs): void
  /** Throws `storage_unavailable` if the local clock is too far off to acquire a lease. */
  requireLeaseClock(): void
}

function parseDate(headers: Headers): EpochMs | undefined {
  const text = headers.get('Date')
  // The date of a cached response is the time at which it was stored.
  return text !== null && HTTP_DATE.test(text) && !headers.has('Age') ? Date.parse(text) : undefined
}

function createClockError(offsetMs: number): Problem {
  const seconds = Math.round(Math.abs(offsetMs) / 1000)
  return new Problem(
    'storage_unavailable',
    `The clock of this Worker is ${seconds} s off that of the token store, too far to refresh a token safely. Ask again in a moment; the operator has to set the clock.`,
    { retryAfterSeconds: 5 },
  )
}

/**
 * The clock that all Workers share: the `Date` headers of the table's responses. Leases depend on time. A Worker with a
 * wrong clock would use a refresh token while another Worker holds the lease.
 *
 * The server writes the header between the start of the request and the arrival of the response. That is a lower and an
 * upper bound for the offset. A slow response, or one that reaches a frozen Worker, has wide bounds and not a wrong
 * offset. The offset changes only if it is out of bounds.
 */
export function createTableClock({ now, skewMs, log }: TableClockDeps): TableClock {
  let offsetMs = 0
  /** The multiple of `skewMs` in the last warning. */
  let lastWarning = 0

  const isBeyond = (times: number) => Math.abs(offsetMs) > times * skewMs()

  const warn = () => {
    const beyond = isBeyond(2) ? 2 : isBeyond(1) ? 1 : 0
    if (beyond <= lastWarning) return
    lastWarning = beyond
    log({ event: 'clock_skew', skew_seconds: -Math.round(offsetMs / 1000), acquires_leases: beyond < 2 })
  }

  return {
    now: () => now() + offsetMs,
    offsetMs: () => offsetMs,
    measure(headers, sentAt) {
      const date = parseDate(headers)
      if (date === undefined) return
      const [least, most] = [date - now(), date + RESOLUTION_MS - sentAt]
      // `least > most`: the local clock was set back in the meantime.
      if (least > most || (least <= offsetMs && offsetMs <= most)) return
      const middle = (least + most) / 2
      offsetMs = Math.abs(middle) > TOLERANCE_MS ? Math.round(middle) : 0
      if (offsetMs !== 0) warn()
    },
    requireLeaseClock() {
      if (offsetMs !== 0 && isBeyond(2)) throw createClockError(offsetMs)
    },
  }
}
