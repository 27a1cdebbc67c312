import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_PENDING_NOTIFICATIONS } from '../../src/fleet/alert-plan.ts'
import { createFoundChanges } from '../../src/fleet/found-changes.ts'
import { type AlertFleetOptions, alertFleet, START, type Trouble } from '../simulation/alert-fleet.ts'

const HOUR_OF_RUNS = 12
const keys = (count: number, prefix = 'company') => Array.from({ length: count }, (_, index) => `${prefix}-${index}`)

/** Messages by type, those with one id once. */
const notified = (received: ReturnType<typeof alertFleet>['received']) => {
  const once = new Map(received.map((alert) => [alert.id, alert]))
  return [...once.values()].map(({ type, data }) => `${type} ${data['count'] ?? data['company_key']}`)
}

const types = (received: ReturnType<typeof alertFleet>['received']) => [
  ...new Map(received.map(({ id, type }) => [id, type])).values(),
]

/** A fleet that is older than its alerts. Changes after the first runs cause alerts. */
const createOldFleet = async (options: AlertFleetOptions, companies: readonly string[]) => {
  const fleet = alertFleet(options)
  for (const key of companies) fleet.add(key, START - 30 * 86_400)
  await fleet.runs(4)
  expect(fleet.received).toEqual([])
  return fleet
}

describe('an incident of many connections', () => {
  it.each([40, 100, 900])(
    'causes one alert, and its end another one, with any limit of calls (%i calls)',
    async (calls) => {
      const companies = keys(300)
      const fleet = await createOldFleet({ calls }, companies)
      for (const key of companies) fleet.fail(key)
      await fleet.runs(6 * HOUR_OF_RUNS)
      expect(notified(fleet.received)).toEqual(['connections.failing 300'])
      for (const key of companies) fleet.recover(key)
      await fleet.runs(6 * HOUR_OF_RUNS)
      expect(notified(fleet.received)).toEqual(['connections.failing 300', 'connections.recovered 300'])
      expect(fleet.received).toHaveLength(2)
      expect(fleet.figures.mostCalls).toBeLessThanOrEqual(calls)
    },
  )

  it('causes one alert if a run scans only a part of the index', async () => {
    const companies = keys(300)
    const fleet = await createOldFleet({ calls: 30 }, companies)
    for (const key of companies) fleet.fail(key)
    await fleet.runs(6 * HOUR_OF_RUNS)
    for (const key of companies) fleet.recover(key)
    await fleet.runs(6 * HOUR_OF_RUNS)
    expect(types(fleet.received)).toEqual(['connections.failing', 'connections.recovered'])
    for (const { data } of fleet.received) expect(data['count']).toBeGreaterThan(50)
  })

  it('is reported completely if it ends before all of it is recorded', async () => {
    const companies = keys(300)
    const fleet = await createOldFleet({ calls: 40 }, companies)
    for (const key of companies) fleet.fail(key)
    await fleet.runs(3)
    for (const key of companies) fleet.recover(key)
    await fleet.runs(6 * HOUR_OF_RUNS)
    expect(notified(fleet.received)).toEqual(['connections.failing 300', 'connections.recovered 300'])
  })

  it('hides no unrelated change, and no later one', async () => {
    const companies = keys(300)
    const fleet = await createOldFleet({ calls: 40 }, [...companies, 'apart', 'later'])
    for (const key of companies) fleet.fail(key)
    await fleet.runs(2)
    fleet.erase('apart')
    await fleet.runs(1)
    expect(notified(fleet.received)).toEqual(['connections.failing 300', 'connection.disconnected apart'])
    await fleet.runs(HOUR_OF_RUNS)
    fleet.fail('later')
    await fleet.runs(1)
    expect(notified(fleet.received).at(-1)).toBe('connection.failing later')
  })

  it('causes one alert if a scan of the index takes longer than an hour', async () => {
    // A run reads twelve pages of 500. Recording what the state has no room for takes 21 hours.
    const companies = keys(40_000)
    const fleet = await createOldFleet({ calls: 30 }, companies)
    for (const key of companies.slice(0, 5_000)) fleet.fail(key)
    await fleet.runs(8 * HOUR_OF_RUNS)
    expect(notified(fleet.received)).toHaveLength(1)
    expect(fleet.received[0]?.type).toBe('connections.failing')
    expect(fleet.figures.largestState).toBeLessThan(200_000)
  }, 120_000)

  it('keeps the cron state within the size of an item, even with the longest company keys', async () => {
    const companies = keys(3_000, 'x'.repeat(58))
    const fleet = await createOldFleet({ calls: 900 }, companies)
    for (const key of companies) fleet.fail(key)
    await fleet.runs(2)
    expect(fleet.figures.largestState).toBeLessThan(350_000)
    await fleet.runs(2 * HOUR_OF_RUNS)
    expect(notified(fleet.received)).toEqual(['connections.failing 3000'])
  })

  it('causes one alert with one id whatever fails: the index, the table or the endpoint', async () => {
    const troubles = fc.array(
      fc.record({
        operation: fc.constantFrom('page', 'note', 'put', 'findDue', 'remove', 'postpone', 'load', 'save', 'send'),
        /** Number of calls before the failures, and number of calls that fail. */
        after: fc.nat({ max: 60 }),
        length: fc.integer({ min: 1, max: 40 }),
        met: fc.constantFrom<Trouble>('before', 'after'),
      }),
      { maxLength: 6 },
    )
    await fc.assert(
      fc.asyncProperty(
        troubles,
        fc.constantFrom(30, 40, 60),
        fc.integer({ min: 1, max: 30 }),
        async (given, calls, lasts) => {
          const counts = new Map<string, number>()
          let isTroubled = false
          const trouble = (operation: string): Trouble => {
            if (!isTroubled) return undefined
            const count = counts.get(operation) ?? 0
            counts.set(operation, count + 1)
            return given.find(
              (one) => one.operation === operation && count >= one.after && count < one.after + one.length,
            )?.met
          }
          const companies = keys(100)
          const fleet = await createOldFleet({ calls, trouble }, companies)
          isTroubled = true
          for (const key of companies) fleet.fail(key)
          await fleet.runs(lasts)
          for (const key of companies) fleet.recover(key)
          await fleet.runs(HOUR_OF_RUNS)
          isTroubled = false
          await fleet.runs(9 * HOUR_OF_RUNS)
          // An incident that no run could see causes no alert. Alerts that were not accepted come later.
          const seen = types(fleet.received).toSorted((one, other) => one.localeCompare(other))
          expect([[], ['connections.failing', 'connections.recovered']]).toContainEqual(seen)
          expect(fleet.waiting.size).toBe(0)
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)
})

describe('the changes that a run collects', () => {
  it('are bounded, and counted completely', () => {
    const changes = createFoundChanges(9)
    const alert = { id: 'msg_1', type: 'connection.failing', at: START, data: {} }
    for (const key of keys(100_000)) {
      const change = { companyKey: key, before: undefined, after: 'failing', isRecorded: false }
      changes.add({ ...change, alert: { ...alert, kind: 'failing' } })
      changes.add({ ...change, alert: { ...alert, kind: 'recovered' } })
      changes.add({ ...change, alert: undefined })
    }
    const { groups, silent, count } = changes.found()
    expect(count).toBe(300_000)
    expect(silent).toHaveLength(9)
    for (const group of groups.values()) {
      expect(group.count).toBe(100_000)
      expect(group.changes).toHaveLength(MAX_PENDING_NOTIFICATIONS)
    }
  })
})

describe('alerts for an existing fleet', () => {
  it('write nothing for healthy connections, and report later changes', async () => {
    const companies = keys(100_000)
    const fleet = await createOldFleet({ calls: 900 }, companies)
    expect(fleet.figures.notes).toBe(0)
    const [first = '', second = '', third = ''] = companies
    fleet.fail(first)
    fleet.erase(second)
    fleet.fail(third, 'invalid_grant')
    fleet.add('new')
    await fleet.runs(2)
    fleet.recover(first)
    fleet.connectAgain(second)
    fleet.recover(third)
    await fleet.runs(2)
    expect(new Set(notified(fleet.received).slice(0, 4))).toEqual(
      new Set([
        `connection.failing ${first}`,
        `connection.disconnected ${second}`,
        `connection.reconnect_required ${third}`,
        'connection.connected new',
      ]),
    )
    expect(new Set(notified(fleet.received).slice(4))).toEqual(
      new Set([`connection.recovered ${first}`, `connection.connected ${second}`, `connection.recovered ${third}`]),
    )
    await fleet.runs(3)
    expect(fleet.received).toHaveLength(7)
    expect(fleet.figures.notes).toBeLessThan(10)
  }, 120_000)

  it('report existing failures once, and no earlier disconnect', async () => {
    const fleet = alertFleet({ calls: 100 })
    for (const key of ['well', 'failing', 'gone']) fleet.add(key, START - 30 * 86_400)
    fleet.fail('failing', 'invalid_grant')
    fleet.erase('gone')
    await fleet.runs(1)
    // It was erased in the second in which alerts began.
    expect(notified(fleet.received)).toContain('connection.reconnect_required failing')
    const before = fleet.received.length
    await fleet.runs(12)
    expect(fleet.received).toHaveLength(before)
    fleet.connectAgain('gone')
    await fleet.runs(2)
    expect(notified(fleet.received).at(-1)).toBe('connection.connected gone')
  })
})
