import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noCounts, type ScanPosition, scanIndex } from '../../src/fleet/index-scan.ts'
import { createList } from '../../src/fleet/list.ts'
import type { FleetIndex, IndexedConnection } from '../../src/fleet/ports.ts'
import { createConnection } from '../support/fixtures.ts'

const NOW = 1_790_000_000
const NOTHING = 9_999_999_999

const indexed = (companyKey: string, diesAt: number, expiresAt?: number): IndexedConnection => ({
  connection: createConnection({
    ...{ companyKey, accessTokenExpiresAt: 1, refreshTokenExpiresAt: diesAt },
    ...{ createdAt: 1, updatedAt: 1, lastRefreshAt: 1 },
  }),
  ...{
    holdsAccessToken: diesAt !== NOTHING,
    holdsRefreshToken: diesAt !== NOTHING,
    place: { diesAt, companyKey },
    expiresAt,
    lastNotified: undefined,
  },
})

const HIDDEN = 'hidden'

/**
 * An index over what it is given, and how often it was asked. As DynamoDB does, it looks at `limit` records or fewer,
 * shows those that pass, and names the last one that it looked at.
 */
const indexOf = (
  shards: Record<string, IndexedConnection[]>,
  sizes: readonly number[] = [Number.POSITIVE_INFINITY],
) => {
  const asked: string[] = []
  const index: FleetIndex = {
    ...{ shards: Object.keys(shards), neverExpires: NOTHING },
    page: async (shard, { from, to }, after, limit) => {
      const most = Math.min(limit, sizes[asked.length % sizes.length] ?? limit)
      asked.push(shard)
      const all = (shards[shard] ?? []).filter(({ place }) => place.diesAt >= from && place.diesAt <= to)
      const start = after ? all.findIndex(({ place }) => place.companyKey === after.companyKey) + 1 : 0
      const evaluated = all.slice(start, start + most)
      return {
        connections: evaluated.filter(({ place }) => !place.companyKey.startsWith(HIDDEN)),
        next: start + most < all.length ? evaluated.at(-1)?.place : undefined,
      }
    },
    setLastNotified: async () => undefined,
  }
  return { index, asked }
}

const fleet = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => indexed(`${prefix}${index}`, NOW + 86_400 * 50 + index))

const BEGIN: ScanPosition = { completedScans: 0, shard: 0, after: undefined, counts: noCounts(), summary: undefined }

describe('a round over the index', () => {
  it('sees every connection once, whatever a run may read', async () => {
    const { index } = indexOf({ a: fleet('a', 1_203), b: [], c: fleet('c', 500), d: fleet('d', 501) })
    for (const pages of [1, 2, 3, 100]) {
      const seen: string[] = []
      let position = BEGIN
      for (let run = 0; run < 20 && !position.summary; run++) {
        position = await scanIndex(index, position, { maxPages: pages, now: NOW }, ({ connection }) =>
          seen.push(connection.companyKey),
        )
      }
      expect(new Set(seen).size).toBe(2_204)
      expect(seen).toHaveLength(2_204)
      expect(position.summary).toEqual({ counts: { ...noCounts(), connected: 2_204 }, countedAt: NOW })
      expect(position).toMatchObject({ shard: 0, after: undefined, counts: noCounts() })
    }
  })

  it('goes round once in a run, however much it may read', async () => {
    const { index, asked } = indexOf({ a: fleet('a', 3), b: fleet('b', 3) })
    await scanIndex(index, BEGIN, { maxPages: 100, now: NOW }, () => undefined)
    expect(asked).toEqual(['a', 'b'])
  })

  it('passes over an unfinished record that has ended, and so does a list', async () => {
    const ended = [indexed('over', NOTHING, NOW), indexed('begun', NOTHING, NOW + 1)]
    const { index } = indexOf({ a: ended })
    const { summary } = await scanIndex(index, BEGIN, { maxPages: 9, now: NOW }, () => undefined)
    expect(summary?.counts).toEqual({ ...noCounts(), unfinished: 1 })
    const everything = { limit: 9, places: undefined, status: undefined, environment: undefined, apiClient: undefined }
    const { connections } = await createList(index)(everything, NOW)
    expect(connections.map(({ indexed }) => indexed.connection.companyKey)).toEqual(['begun'])
  })
})

describe('a list of few of very many', () => {
  it('asks so much at the most, and leads on to all of them', async () => {
    const shards = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, fleet(name, 3_000)]))
    const { index, asked } = indexOf(shards)
    const found: string[] = []
    let places: Parameters<ReturnType<typeof createList>>[0]['places']
    let pages = 0
    do {
      asked.length = 0
      const companies = ['a', 'b', 'c', 'd'].flatMap((name) => ['999', '1999', '2999'].map((end) => `${name}${end}`))
      const apiClient = { name: 'books', may: [], companies }
      const page = await createList(index)(
        { limit: 50, places, status: undefined, environment: undefined, apiClient },
        NOW,
      )
      expect(asked.length).toBeLessThanOrEqual(45)
      found.push(...page.connections.map(({ indexed }) => indexed.connection.companyKey))
      places = page.places
    } while (places && ++pages < 60)
    expect(new Set(found)).toEqual(
      new Set(['a', 'b', 'c', 'd'].flatMap((name) => ['1999', '2999', '999'].map((end) => `${name}${end}`))),
    )
    expect(found).toHaveLength(12)
  })
})

describe('pages that are short or empty and not the last', () => {
  /** Shards of records of which the index shows some. */
  const createShards = (shown: readonly boolean[][]) =>
    Object.fromEntries(
      shown.map((rows, shard) => [
        `s${shard}`,
        rows.map((isShown, row) => indexed(`${isShown ? 'c' : HIDDEN}${shard}-${row}`, NOW + 86_400 * 50 + row)),
      ]),
    )
  const ofFleet = fc.record({
    shown: fc.array(fc.array(fc.boolean(), { maxLength: 60 }), { minLength: 1, maxLength: 16 }),
    sizes: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 }),
  })
  const visible = (shards: Record<string, IndexedConnection[]>) =>
    new Set(
      Object.values(shards)
        .flat()
        .map(({ place }) => place.companyKey)
        .filter((companyKey) => !companyKey.startsWith(HIDDEN)),
    )

  it('end no round: each connection is seen once', async () => {
    await fc.assert(
      fc.asyncProperty(ofFleet, fc.integer({ min: 1, max: 9 }), async ({ shown, sizes }, pages) => {
        const shards = createShards(shown)
        const { index } = indexOf(shards, sizes)
        const seen: string[] = []
        let position = BEGIN
        while (!position.summary) {
          position = await scanIndex(index, position, { maxPages: pages, now: NOW }, ({ connection }) =>
            seen.push(connection.companyKey),
          )
        }
        expect(new Set(seen)).toEqual(visible(shards))
        expect(seen).toHaveLength(visible(shards).size)
        expect(position.completedScans).toBe(1)
      }),
      { numRuns: 60 },
    )
  })

  it('end no list, and do not change its order: each connection is listed once, soonest to expire first', async () => {
    const someLimit = fc.integer({ min: 1, max: 100 })
    const isFiltered = fc.boolean()
    await fc.assert(
      fc.asyncProperty(ofFleet, someLimit, isFiltered, async ({ shown, sizes }, limit, filtered) => {
        const shards = createShards(shown)
        const { index } = indexOf(shards, sizes)
        const environment = filtered ? ('production' as const) : undefined
        const listed: IndexedConnection[] = []
        let places: Parameters<ReturnType<typeof createList>>[0]['places']
        do {
          const request = { limit, places, status: undefined, environment, apiClient: undefined }
          const page = await createList(index)(request, NOW)
          expect(page.connections.length).toBeLessThanOrEqual(limit)
          listed.push(...page.connections.map((one) => one.indexed))
          places = page.places
        } while (places)
        expect(new Set(listed.map(({ place }) => place.companyKey))).toEqual(visible(shards))
        expect(listed).toHaveLength(visible(shards).size)
        const deaths = listed.map(({ place }) => place.diesAt)
        expect(deaths).toEqual([...deaths].sort((one, other) => one - other))
      }),
      { numRuns: 100 },
    )
  })
})
