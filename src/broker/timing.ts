import type { EpochMs, EpochSeconds } from './connection.ts'
import type { Runtime } from './ports/runtime.ts'

/** The time of a clock in seconds. */
export function nowSeconds({ now }: Pick<Runtime, 'now'>): EpochSeconds {
  return Math.floor(now() / 1000)
}

/** The lengths of a refresh in milliseconds. All are configuration, so that tests need not wait. */
export interface Timing {
  /** How long a claim keeps others off: the deadline, and clocks that are off on both sides. */
  leaseMs: number
  /** From the request's begin to the last try to store. Workers end all work 30 s after the caller left. */
  deadlineMs: number
  /** How long a caller waits for Intuit. What Intuit answers later, within `deadlineMs`, is stored all the same. */
  intuitMs: number
  /** How long a caller waits for somebody else's refresh. */
  waitMs: number
  /** How far off a clock may be. */
  skewMs: number
}

export const DEFAULT_TIMING: Timing = {
  leaseMs: 45_000,
  deadlineMs: 25_000,
  intuitMs: 15_000,
  waitMs: 10_000,
  skewMs: 10_000,
}

/** What of the deadline is kept for storing what Intuit gave; as long a caller waits for a write that failed at first. */
export function storingMs({ deadlineMs }: Timing): number {
  return deadlineMs / 5
}

/** A request that is older does not claim any more: what follows a claim would not fit into its deadline. */
export function acquisitionMs({ deadlineMs }: Timing): number {
  return (deadlineMs * 3) / 25
}

/** Whether a token spent now can be stored in time, within the request's deadline and its lease. */
export function mayRedeem(timing: Timing, now: EpochMs, startedAt: EpochMs, leaseUntil: EpochMs): boolean {
  return (
    now + timing.intuitMs + storingMs(timing) <= startedAt + timing.deadlineMs &&
    now + timing.intuitMs + timing.skewMs <= leaseUntil
  )
}

/**
 * Whether a token that was used at `usedAt`, over a connection that broke, may be used once more: while the caller still
 * waits for Intuit, and the lease holds for clocks that differ.
 */
export function mayUseAgain(timing: Timing, now: EpochMs, usedAt: EpochMs, leaseUntil: EpochMs): boolean {
  return now < usedAt + timing.intuitMs && now + timing.skewMs <= leaseUntil
}

/** Where a pair that arrives so late that the request's deadline is near or over still has time to be stored. */
export function storeDeadline(timing: Timing, now: EpochMs, startedAt: EpochMs): EpochMs {
  return Math.max(startedAt + timing.deadlineMs, now + storingMs(timing))
}

/** Whether no lease ends before its holder's deadline, and a refresh fits into that. */
export function fitsTogether({ leaseMs, deadlineMs, intuitMs, skewMs }: Timing): boolean {
  return leaseMs >= deadlineMs + 2 * skewMs && intuitMs <= (deadlineMs * 2) / 3
}
