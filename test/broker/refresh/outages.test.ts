import { describe, expect, it } from 'vitest'
import { createSimulation } from '../../support/simulated.ts'
import { inOrder } from '../../support/virtual-time.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const calls = (world: ReturnType<typeof createSimulation>) => world.intuit.uses.length
const findCode = (answer: PromiseSettledResult<unknown> | undefined) =>
  answer?.status === 'rejected' && answer.reason instanceof Error && 'code' in answer.reason
    ? answer.reason.code
    : undefined

/** Reads once a step, as often as `count`. Returns what each read came to: the token or the problem's code. */
const reads = async (world: ReturnType<typeof createSimulation>, count: number, everyMs: number) => {
  const outcomes: unknown[] = []
  const worker = world.worker()
  for (let index = 0; index < count; index++) {
    const [answer] = await world.outcomes([worker.read()])
    outcomes.push(answer?.status === 'fulfilled' ? answer.value.accessToken : findCode(answer))
    world.pass(everyMs)
  }
  return outcomes
}

/** A connection whose refresh token Intuit no longer knows. */
const deadConnection = () => {
  const world = createSimulation({ scheduler: inOrder() })
  world.seed({ refreshToken: 'refresh_token sealed unknown', refreshTokenHash: 'hash of unknown' })
  return world
}

describe('Intuit out for five minutes', () => {
  const outage = (leftSeconds: number) => {
    const state = { isOut: true }
    const world = createSimulation({ scheduler: inOrder(), isOut: () => state.isOut })
    world.seed({ accessTokenExpiresAt: Math.floor(world.now() / SECOND) + leftSeconds })
    return { world, state }
  }

  it('costs a caller nothing while the old token is valid, and then gets a truthful error', async () => {
    const { world } = outage(120)
    const outcomes = await reads(world, 300, SECOND)
    expect(new Set(outcomes.slice(0, 115))).toEqual(new Set(['access-0']))
    expect(new Set(outcomes.slice(125))).toEqual(new Set(['intuit_unavailable']))
  })

  it('is asked about six times, not three hundred', async () => {
    const { world } = outage(-1)
    await reads(world, 300, SECOND)
    expect(calls(world)).toBeGreaterThan(2)
    expect(calls(world)).toBeLessThanOrEqual(6)
  })

  it('is over with one more call: the pair lives, and all callers get the new token', async () => {
    const { world, state } = outage(-1)
    await reads(world, 300, SECOND)
    state.isOut = false
    const outcomes = await reads(world, 120, 2 * SECOND)
    expect(outcomes.at(-1)).toBe('access-1')
    expect(world.intuit.uses.filter(({ outcome }) => outcome === 'granted')).toHaveLength(1)
    expect(world.stored()).toMatchObject({ generation: 2, failure: undefined, refreshTokenHash: 'hash of refresh-1' })
    expect(world.intuit.isDead()).toBe(false)
  })
})

describe('a dead connection', () => {
  it('is asked about at most five times in 1,000 reads over a day, and never again afterwards', async () => {
    const world = deadConnection()
    const outcomes = await reads(world, 1_000, (24 * HOUR) / 1_000)
    expect(new Set(outcomes)).toEqual(new Set(['reconnect_required']))
    expect(calls(world)).toBeGreaterThan(1)
    expect(calls(world)).toBeLessThanOrEqual(5)
    await reads(world, 30, 24 * HOUR)
    expect(calls(world)).toBeLessThanOrEqual(5)
  })

  it('is asked about by a forced refresh at once, but not more than once in 10 s', async () => {
    const world = deadConnection()
    await reads(world, 1, 15 * SECOND)
    const before = calls(world)
    const worker = world.worker()
    for (let second = 0; second < 60; second++) {
      const [answer] = await world.outcomes([worker.force()])
      expect(findCode(answer)).toBe('reconnect_required')
      world.pass(SECOND)
    }
    expect(calls(world) - before).toBe(6)
  })
})
