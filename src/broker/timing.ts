import type { EpochMs, EpochSeconds } from './connection.ts'
import type { Runtime } from './ports/runtime.ts'

export const DAY_SECONDS = 24 * 3600

/** A time in seconds. */
export function toSeconds(at: EpochMs): EpochSeconds {
  return Math.floor(at / 1000)
}

/** The time of a clock in seconds. */
export function nowSeconds({ now }: Pick<Runtime, 'now'>): EpochSeconds {
  return toSeconds(now())
}

/** The times of a refresh in milliseconds. All are configuration, so that tests need not wait. */
export interface Timing {
  /** The lifetime of a lease: the deadline, and the clock skew on both sides. */
  leaseMs: number
  /**
   * From the start of the request to the last attempt to store. Workers end all work 30 s after the caller has
   * disconnected.
   */
  deadlineMs: number
  /** How long a caller waits for Intuit. A later response, within `deadlineMs`, is stored all the same. */
  intuitMs: number
  /** How long a caller waits for the refresh of another request. */
  waitMs: number
  /** The largest difference between a clock and the table's clock. */
  skewMs: number
}

export const DEFAULT_TIMING: Timing = {
  leaseMs: 45_000,
  deadlineMs: 25_000,
  intuitMs: 15_000,
  waitMs: 10_000,
  skewMs: 10_000,
}

/** The part of the deadline that is reserved for the store. A caller waits as long for a write that failed at first. */
export function storingMs({ deadlineMs }: Timing): number {
  return deadlineMs / 5
}

/** An older request acquires no lease: the rest of the refresh would not fit into its deadline. */
export function acquisitionMs({ deadlineMs }: Timing): number {
  return (deadlineMs * 3) / 25
}

/** Whether the successor of a token that is used now can be stored within the deadline and the lease. */
export function mayRedeem(timing: Timing, now: EpochMs, startedAt: EpochMs, leaseUntil: EpochMs): boolean {
  return (
    now + timing.intuitMs + storingMs(timing) <= startedAt + timing.deadlineMs &&
    now + timing.intuitMs + timing.skewMs <= leaseUntil
  )
}

/**
 * Whether a token that was used at `usedAt` over a broken connection may be used once more: while the caller still waits
 * for Intuit, and the lease is valid for every clock within the skew.
 */
export function mayUseAgain(timing: Timing, now: EpochMs, usedAt: EpochMs, leaseUntil: EpochMs): boolean {
  return now < usedAt + timing.intuitMs && now + timing.skewMs <= leaseUntil
}

/** The deadline to store a token pair. A pair that arrives late still gets time. */
export function storeDeadline(timing: Timing, now: EpochMs, startedAt: EpochMs): EpochMs {
  return Math.max(startedAt + timing.deadlineMs, now + storingMs(timing))
}

/** Whether a lease outlives the deadline of its holder, and a refresh fits into the deadline. */
export function fitsTogether({ leaseMs, deadlineMs, intuitMs, skewMs }: Timing): boolean {
  return leaseMs >= deadlineMs + 2 * skewMs && intuitMs <= (deadlineMs * 2) / 3
}
