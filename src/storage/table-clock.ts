import type { EpochMs } from '../broker/connection.ts'
import { Problem } from '../problem.ts'

/** A `Date` header has whole seconds, rounded down (RFC 9110, section 5.6.7). */
const RESOLUTION_MS = 1_000
/** Clocks that NTP keeps differ by less. What is smaller counts as no skew. */
const TOLERANCE_MS = 2_000
/** The only form that servers may send. `Date.parse` also takes `0` and `May`. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

export interface ClockSkew {
  event: 'clock_skew'
  /** How far the local clock is ahead of the table's; negative where it is behind. */
  skew_seconds: number
  /** Whether this isolate still refreshes tokens. */
  acquires_leases: boolean
}

interface TableClockDeps {
  /** The local clock. */
  now(): EpochMs
  /** How far a clock may be off: beyond that a warning is logged, beyond twice that no lease is acquired. */
  skewMs(): number
  log(event: ClockSkew): void
}

export interface TableClock {
  /** The table's time: local time, corrected by what the responses told. */
  now(): EpochMs
  /** What `now` adds to local time. 0 until a response tells otherwise. */
  offsetMs(): number
  /** Learns from one response, as soon as its headers are there. `sentAt` is local time. */
  measure(headers: Headers, sentAt: EpochMs): void
  /** Throws `storage_unavailable` where the local clock is too far off to acquire a lease. */
  requireLeaseClock(): void
}

function parseDate(headers: Headers): EpochMs | undefined {
  const text = headers.get('Date')
  // A response from a cache tells when it was stored.
  return text !== null && HTTP_DATE.test(text) && !headers.has('Age') ? Date.parse(text) : undefined
}

function clockTooFarOff(offsetMs: number): Problem {
  const seconds = Math.round(Math.abs(offsetMs) / 1000)
  return new Problem(
    'storage_unavailable',
    `The clock of this Worker is ${seconds} s off that of the token store, too far to refresh a token safely. Ask again in a moment; the operator has to set the clock.`,
    { retryAfterSeconds: 5 },
  )
}

/**
 * The clock that all Workers share: that of the table, as the `Date` headers of its responses tell it. Leases keep
 * Workers apart by time, so a Worker whose own clock is off would use a refresh token beside the holder of the lease.
 *
 * The server wrote the header between the sending of the request and the arrival of the response. That gives a lower
 * and an upper bound for the offset, and a response that was slow, held back or met a frozen Worker gives wide bounds,
 * not a wrong offset. The offset changes only if it is out of bounds.
 */
export function tableClock({ now, skewMs, log }: TableClockDeps): TableClock {
  let offsetMs = 0
  /** How many times `skewMs` the local clock was off when the operator was last warned. */
  let warnedOf = 0

  const isBeyond = (times: number) => Math.abs(offsetMs) > times * skewMs()

  const warn = () => {
    const beyond = isBeyond(2) ? 2 : isBeyond(1) ? 1 : 0
    if (beyond <= warnedOf) return
    warnedOf = beyond
    log({ event: 'clock_skew', skew_seconds: -Math.round(offsetMs / 1000), acquires_leases: beyond < 2 })
  }

  return {
    now: () => now() + offsetMs,
    offsetMs: () => offsetMs,
    measure(headers, sentAt) {
      const date = parseDate(headers)
      if (date === undefined) return
      const [least, most] = [date - now(), date + RESOLUTION_MS - sentAt]
      // `least > most`: the local clock was set back meanwhile.
      if (least > most || (least <= offsetMs && offsetMs <= most)) return
      const middle = (least + most) / 2
      offsetMs = Math.abs(middle) > TOLERANCE_MS ? Math.round(middle) : 0
      if (offsetMs !== 0) warn()
    },
    requireLeaseClock() {
      if (offsetMs !== 0 && isBeyond(2)) throw clockTooFarOff(offsetMs)
    },
  }
}
