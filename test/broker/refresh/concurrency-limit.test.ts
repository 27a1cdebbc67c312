import { describe, expect, it } from 'vitest'
import { createRefreshLimit } from '../../../src/broker/refresh/concurrency-limit.ts'
import { DEFAULT_TIMING } from '../../../src/broker/timing.ts'
import { Problem } from '../../../src/problem.ts'

/** Time passes only while somebody sleeps, and by hand. */
const limited = () => {
  let time = 0
  const limit = createRefreshLimit({
    runtime: {
      ...{ now: () => time, random: () => 1, nonce: () => '' },
      sleep: async (ms) => {
        time += ms
        await new Promise((resolve) => setImmediate(resolve))
      },
    },
    timing: () => DEFAULT_TIMING,
  })
  return { limit, pass: (ms: number) => (time += ms), now: () => time }
}

const toProblem = (refresh: Promise<unknown>) =>
  refresh.then(
    () => undefined,
    (error: unknown) => (error instanceof Problem ? error : undefined),
  )
const never = () => new Promise<never>(() => undefined)
const HALF_SECOND = 500
const MANY = 1_000

describe('the refreshes of one isolate', () => {
  it('begin only while no rotated pair waits for the table', async () => {
    const { limit } = limited()
    const stored = Promise.withResolvers<void>()
    limit.addAtRisk(stored.promise)
    let begun = 0
    const refresh = async () => ++begun
    const refused = await toProblem(limit.run(HALF_SECOND, refresh))
    expect(refused).toMatchObject({ code: 'storage_unavailable', retryAfterSeconds: 2 })
    expect(begun).toBe(0)
    stored.resolve()
    await stored.promise
    expect(await limit.run(HALF_SECOND, refresh)).toBe(1)
  })

  it('do not wait for a pair whose request was cancelled, once its lease is over', async () => {
    const { limit, pass } = limited()
    limit.addAtRisk(never())
    pass(DEFAULT_TIMING.leaseMs)
    expect(limit.isPairAtRisk()).toBe(true)
    pass(1)
    expect(limit.isPairAtRisk()).toBe(false)
  })

  it('are bounded, and say so to whoever has no room in time', async () => {
    const { limit, pass, now } = limited()
    let begun = 0
    const outcomes = Array.from({ length: MANY }, () =>
      toProblem(
        limit.run(HALF_SECOND, () => {
          begun++
          return never()
        }),
      ),
    )
    await expect.poll(() => now(), { timeout: 20_000 }).toBeGreaterThan(HALF_SECOND)
    expect(begun).toBe(32)
    const refused = await Promise.all(outcomes.slice(begun))
    for (const problem of refused) {
      expect(problem).toMatchObject({ code: 'refresh_in_progress', retryAfterSeconds: 1 })
    }
    pass(DEFAULT_TIMING.leaseMs + 1)
    expect(await limit.run(now(), async () => 'room')).toBe('room')
  })

  it('count until their store is through, and make room for others', async () => {
    const { limit, now } = limited()
    const stored = Promise.withResolvers<void>()
    for (let count = 0; count < 32; count++) limit.add(stored.promise)
    const waiting = limit.run(now() + HALF_SECOND, async () => 'began')
    stored.resolve()
    expect(await waiting).toBe('began')
  })
})
