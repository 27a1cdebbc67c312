import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addToHistory, type RefreshHistoryEntry } from '../../../src/broker/refresh/history.ts'
import { formatHistory, parseHistory } from '../../../src/storage/refresh-history.ts'

const OUTCOMES = ['rotated', 'kept', 'invalid_grant', 'invalid_client', 'unavailable', 'unsettled'] as const
const NOW = 1_790_000_000

describe('the history of refreshes', () => {
  it('is read as it was written, whatever happened', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            at: fc.integer({ min: 0, max: 4_000_000_000 }),
            outcome: fc.constantFrom(...OUTCOMES),
            count: fc.integer({ min: 1, max: 1_000_000 }),
          }),
          { maxLength: 8 },
        ),
        (history) => {
          expect(parseHistory(formatHistory(history))).toEqual(history)
        },
      ),
    )
  })

  it('keeps eight attempts, the newest last', () => {
    let history: readonly RefreshHistoryEntry[] = []
    for (let at = 1; at <= 20; at++) history = addToHistory(history, 'kept', at)
    expect(history.map(({ at }) => at)).toEqual([13, 14, 15, 16, 17, 18, 19, 20])
  })

  it('counts failures for one reason as one, so that an outage pushes nothing out', () => {
    let history = addToHistory([], 'rotated', NOW)
    for (let attempt = 1; attempt <= 50; attempt++) history = addToHistory(history, 'unavailable', NOW + attempt)
    history = addToHistory(history, 'invalid_grant', NOW + 60)
    history = addToHistory(history, 'kept', NOW + 70)
    expect(history).toEqual([
      { at: NOW, outcome: 'rotated', count: 1 },
      { at: NOW + 50, outcome: 'unavailable', count: 50 },
      { at: NOW + 60, outcome: 'invalid_grant', count: 1 },
      { at: NOW + 70, outcome: 'kept', count: 1 },
    ])
  })

  it('passes over what it cannot read', () => {
    expect(parseHistory(undefined)).toEqual([])
    expect(parseHistory('')).toEqual([])
    expect(parseHistory('nonsense,tlq2o0K,tlq2o0Z,-5K')).toEqual([
      { at: Number.parseInt('tlq2o0', 36), outcome: 'kept', count: 1 },
    ])
  })
})
