import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ClockSkew, createTableClock } from '../../src/storage/table-clock.ts'

const TABLE_START = Date.parse('2026-09-21T10:00:00.000Z')
const SKEW_MS = 10_000

/** A Worker whose clock is ahead of the table's by `aheadMs`, and the table. True time is the table's. */
const skewed = (aheadMs: number) => {
  let time = TABLE_START
  let ahead = aheadMs
  const events: ClockSkew[] = []
  const local = () => time + ahead
  const clock = createTableClock({ now: local, skewMs: () => SKEW_MS, log: (event) => events.push(event) })
  /** One request: the server writes its date after `outMs`, the response arrives `backMs` later. */
  const request = ({ outMs = 10, backMs = 10, date = (now: number) => new Date(now).toUTCString(), age = '' } = {}) => {
    const sentAt = local()
    time += outMs
    const headers = new Headers(age ? { Age: age } : {})
    const written = date(time)
    if (written !== '') headers.set('Date', written)
    time += backMs
    clock.measure(headers, sentAt)
  }
  return {
    ...{ clock, events, request },
    /** How far the corrected clock is off. */
    error: () => clock.now() - time,
    pass: (milliseconds: number) => {
      time += milliseconds
    },
    setLocalClock: (newAheadMs: number) => {
      ahead = newAheadMs
    },
  }
}

const acquires = ({ clock }: ReturnType<typeof skewed>) => {
  try {
    clock.requireLeaseClock()
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'storage_unavailable', retryAfterSeconds: 5 })
    return false
  }
}

describe('the table’s clock', () => {
  it('is within a second and the round trip of the table’s after one response, however far the local one is off', () => {
    const length = fc.integer({ min: 0, max: 3_000 })
    fc.assert(
      fc.property(
        fc.integer({ min: -40 * 86_400_000, max: 40 * 86_400_000 }),
        fc.integer({ min: 0, max: 999 }),
        fc.array(fc.tuple(length, length), { minLength: 1, maxLength: 5 }),
        (aheadMs, startMs, trips) => {
          const worker = skewed(aheadMs)
          worker.pass(startMs)
          for (const [outMs, backMs] of trips) {
            worker.request({ outMs, backMs })
            // Less than 2 s counts as none.
            expect(Math.abs(worker.error())).toBeLessThanOrEqual(Math.max(2_000, 1_001 + outMs + backMs) + 500)
          }
        },
      ),
    )
  })

  it('never mistakes a slow, delayed or frozen request for skew', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 600_000 }),
        fc.integer({ min: 0, max: 600_000 }),
        fc.integer({ min: 0, max: 999 }),
        (outMs, backMs, startMs) => {
          const worker = skewed(0)
          worker.pass(startMs)
          worker.request({ outMs, backMs })
          expect(worker.clock.offsetMs()).toBe(0)
          expect(worker.events).toEqual([])
        },
      ),
    )
  })

  it.each([
    '',
    '0',
    'May',
    'tomorrow',
    '2026-09-21T10:00:00Z',
    'Mon, 21 Sep 2026 09:00:00 GMT, Mon, 21 Sep 2026 09:00:00 GMT',
  ])('learns nothing from a response that says Date: %s', (date) => {
    const worker = skewed(0)
    worker.request({ date: () => date })
    expect(worker.clock.offsetMs()).toBe(0)
  })

  it('learns nothing from a response that a cache had stored', () => {
    const worker = skewed(0)
    worker.request({ date: (now) => new Date(now - 60_000).toUTCString(), age: '60' })
    expect(worker.clock.offsetMs()).toBe(0)
  })

  it('keeps its offset while responses agree, and drops it when the local clock is correct', () => {
    const worker = skewed(15_000)
    worker.request()
    const offset = worker.clock.offsetMs()
    expect(offset).not.toBe(0)
    worker.request({ date: () => '' })
    worker.pass(60_000)
    worker.request({ outMs: 3_000 })
    expect(worker.clock.offsetMs()).toBe(offset)
    worker.setLocalClock(0)
    worker.request()
    expect(worker.clock.offsetMs()).toBe(0)
  })

  it.each([
    ['right', 0, true, []],
    ['off by less than is allowed', 8_000, true, []],
    ['off by more than is allowed', 15_000, true, [{ event: 'clock_skew', skew_seconds: 15, acquires_leases: true }]],
    ['behind', -15_000, true, [{ event: 'clock_skew', skew_seconds: -15, acquires_leases: true }]],
    ['off by over twice that', 60_000, false, [{ event: 'clock_skew', skew_seconds: 60, acquires_leases: false }]],
    ['behind by as much', -60_000, false, [{ event: 'clock_skew', skew_seconds: -60, acquires_leases: false }]],
  ])('acquires leases and warns, once, as it should where it is %s', (_, aheadMs, isAllowed, warnings) => {
    const worker = skewed(aheadMs)
    for (let count = 0; count < 3; count++) {
      worker.request()
      worker.pass(7_300)
    }
    expect(acquires(worker)).toBe(isAllowed)
    expect(worker.events.map(({ skew_seconds, ...rest }) => rest)).toEqual(
      warnings.map(({ skew_seconds, ...rest }) => rest),
    )
    for (const [index, { skew_seconds }] of warnings.entries()) {
      expect(Math.abs((worker.events[index]?.skew_seconds ?? 0) - skew_seconds)).toBeLessThanOrEqual(1)
    }
  })

  it('warns again only when it stops acquiring leases', () => {
    const worker = skewed(15_000)
    worker.request()
    worker.setLocalClock(60_000)
    worker.request()
    worker.setLocalClock(15_000)
    worker.request()
    expect(worker.events.map((event) => event.acquires_leases)).toEqual([true, false])
    expect(acquires(worker)).toBe(true)
  })
})
