import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Failure, FailureReason } from '../../../src/broker/connection.ts'
import { failedRefresh } from '../../../src/broker/errors.ts'
import {
  answeredFailure,
  type FailedAttempt,
  findStandingFailure,
  isFinal,
  nextFailure,
} from '../../../src/broker/refresh/circuit-breaker.ts'
import { createSimulation } from '../../support/simulated.ts'
import { inOrder } from '../../support/virtual-time.ts'

const START = 1_790_000_000
const HOUR = 3600
const DAY = 24 * HOUR
const REASONS: FailureReason[] = ['invalid_grant', 'invalid_client', 'request_rejected', 'unavailable', 'unsettled']

const attempt = (reason: FailureReason, over: Partial<FailedAttempt> = {}): FailedAttempt => ({
  ...{ reason, intuitError: undefined, intuitTid: undefined, retryAfterSeconds: undefined, client: 'client' },
  ...over,
})

/** Whether Intuit may be asked about a connection with this failure. */
const mayAsk = async (failure: Failure | undefined, now: number, forced: boolean, client = 'client') => {
  const world = createSimulation({ scheduler: inOrder() })
  world.seed({ failure })
  const connection = world.stored()
  if (!connection) throw new Error('no record')
  const intuit = { clientDigest: async () => client }
  return (await findStandingFailure(intuit, connection, now, forced)) === undefined
}

const anyAttempt = fc.record({
  /** Seconds since the last attempt. */
  pause: fc.oneof(
    fc.integer({ min: 0, max: 60 }),
    fc.integer({ min: 0, max: 2 * HOUR }),
    fc.integer({ min: 0, max: DAY }),
  ),
  forced: fc.boolean(),
  reason: fc.constantFrom(...REASONS, 'invalid_grant' as const),
  retryAfterSeconds: fc.option(fc.integer({ min: 0, max: HOUR }), { nil: undefined }),
  client: fc.constantFrom('client', 'client', 'other'),
})

describe('the record of failed refreshes', () => {
  it('becomes final only after five due attempts over 24 hours, whatever is forced in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyAttempt, { maxLength: 60 }), async (attempts) => {
        let failure: Failure | undefined
        let now = START
        let due: number[] = []
        for (const { pause, forced, ...rest } of attempts) {
          now += pause
          const isDue = await mayAsk(failure, now, false, rest.client)
          if (!isDue && !(forced && (await mayAsk(failure, now, true, rest.client)))) continue
          const next = nextFailure(failure, attempt(rest.reason, rest), now)
          if (isDue)
            due = rest.reason !== 'invalid_grant' ? [] : failure?.reason === 'invalid_grant' ? [...due, now] : [now]
          else {
            const moved = Math.max(
              failure?.retryAt ?? 0,
              now + Math.max(rest.retryAfterSeconds ?? 0, rest.reason === 'unsettled' ? 60 : 0),
            )
            expect(next).toMatchObject({
              reason: failure?.reason,
              count: failure?.count,
              since: failure?.since,
              retryAt: moved,
            })
          }
          failure = next
          if (!isFinal(failure)) continue
          expect(due.length).toBeGreaterThanOrEqual(5)
          expect(now - (due.at(-5) ?? now)).toBeGreaterThanOrEqual(DAY)
        }
      }),
    )
  })

  it('asks nobody before the Retry-After of Intuit, forced or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyAttempt, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        async (attempts, forced) => {
          let failure: Failure | undefined
          let [now, notBefore] = [START, START]
          for (const { pause, retryAfterSeconds, reason } of attempts) {
            now += pause
            if (!(await mayAsk(failure, now, true))) continue
            expect(now).toBeGreaterThanOrEqual(notBefore)
            failure = nextFailure(failure, attempt(reason, { retryAfterSeconds }), now)
            notBefore = Math.max(notBefore, now + (retryAfterSeconds ?? 0))
            if (notBefore > now) expect(await mayAsk(failure, notBefore - 1, forced)).toBe(false)
          }
        },
      ),
    )
  })

  it('returns the failure of an early attempt to its caller, with a Retry-After within the hour', () => {
    fc.assert(
      fc.property(fc.array(anyAttempt, { minLength: 1, maxLength: 20 }), (attempts) => {
        let failure: Failure | undefined
        let now = START
        for (const { pause, reason, retryAfterSeconds } of attempts) {
          now += pause
          const met = attempt(reason, { retryAfterSeconds, intuitError: 'some_error' })
          failure = nextFailure(failure, met, now)
          const answered = answeredFailure(failure, met, now)
          expect(answered).toMatchObject({ reason, intuitError: 'some_error' })
          const retryAfter = failedRefresh('beach', answered, now).retryAfterSeconds ?? 1
          expect(Number.isInteger(retryAfter)).toBe(true)
          expect(retryAfter).toBeGreaterThanOrEqual(1)
          expect(retryAfter).toBeLessThanOrEqual(HOUR)
        }
      }),
    )
  })

  it('starts again with other client credentials', async () => {
    const first = nextFailure(undefined, attempt('invalid_client'), START)
    const second = nextFailure(first, attempt('invalid_client'), START + 30)
    expect(second).toMatchObject({ count: 2, retryAt: START + 90, client: 'client' })
    expect(await mayAsk(second, START + 31, false)).toBe(false)
    expect(await mayAsk(second, START + 31, false, 'other')).toBe(true)
    const third = nextFailure(second, attempt('invalid_client', { client: 'other' }), START + 31)
    expect(third).toMatchObject({ count: 1, since: START + 31, retryAt: START + 61, client: 'other' })
  })

  it('blocks a forced refresh for no longer than ten seconds where a wrong clock wrote its time', async () => {
    const failure = nextFailure(undefined, attempt('unavailable'), START + DAY)
    expect(await mayAsk(failure, START, true)).toBe(true)
    expect(await mayAsk(failure, START + DAY + 5, true)).toBe(false)
  })
})

describe('five early attempts in an outage that says invalid_grant', () => {
  it('end no connection: a forced refresh once it is over is good again', async () => {
    const world = createSimulation({ scheduler: inOrder() })
    const good = world.stored()
    world.seed({ refreshToken: 'refresh_token sealed unknown', refreshTokenHash: 'hash of unknown' })
    const worker = world.worker()
    for (let count = 0; count < 5; count++) {
      await world.outcomes([worker.force()])
      world.pass(11_000)
    }
    const failure = world.stored()?.failure
    expect(failure).toMatchObject({ reason: 'invalid_grant', count: 1 })
    expect(failure?.retryAt).toBe((failure?.since ?? 0) + 600)
    world.seed({ ...good, failure, generation: 1 })
    world.pass(600_000)
    const [answer] = await world.outcomes([worker.read()])
    expect(answer).toMatchObject({ status: 'fulfilled', value: { accessToken: 'access-1' } })
  })
})
