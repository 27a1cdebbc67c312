import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firstPosition, noCounts, scanIndex } from '../../src/fleet/index-scan.ts'
import { createList } from '../../src/fleet/list.ts'
import type { FleetIndex, IndexedConnection } from '../../src/fleet/ports.ts'
import { countUnfinished } from '../../src/fleet/unfinished-count.ts'
import { createConnection } from '../support/fixtures.ts'

const NOW = 1_790_000_000
const NOTHING = 9_999_999_999
const UNFINISHED = 10_000_000_000

const indexed = (companyKey: string, diesAt: number, expiresAt?: number): IndexedConnection => ({
  connection: createConnection({
    ...{ companyKey, accessTokenExpiresAt: 1, refreshTokenExpiresAt: diesAt },
    ...{ createdAt: 1, updatedAt: 1, lastRefreshAt: 1 },
  }),
  ...{
    holdsAccessToken: diesAt < NOTHING,
    holdsRefreshToken: diesAt < NOTHING,
    place: { diesAt, companyKey },
    expiresAt,
    lastNotified: undefined,
  },
})

/** Records of one count: DynamoDB counts 1 MB at a time. */
const COUNTED = 4_000
const HIDDEN = 'hidden'

/**
 * An index in memory that records its queries. Like DynamoDB, it evaluates at most `limit` records, returns those that
 * match, and says which record it evaluated last.
 */
const createIndex = (
  shards: Record<string, IndexedConnection[]>,
  sizes: readonly number[] = [Number.POSITIVE_INFINITY],
) => {
  const queried: string[] = []
  const index: FleetIndex = {
    ...{ shards: Object.keys(shards), neverExpires: NOTHING, unfinished: UNFINISHED },
    page: async (shard, { from, to }, after, limit) => {
      const maxEvaluated = Math.min(limit, sizes[queried.length % sizes.length] ?? limit)
      queried.push(shard)
      const all = (shards[shard] ?? []).filter(({ place }) => place.diesAt >= from && place.diesAt <= to)
      const start = after ? all.findIndex(({ place }) => place.companyKey === after.companyKey) + 1 : 0
      const evaluated = all.slice(start, start + maxEvaluated)
      return {
        connections: evaluated.filter(({ place }) => !place.companyKey.startsWith(HIDDEN)),
        next: start + maxEvaluated < all.length ? evaluated.at(-1)?.place : undefined,
      }
    },
    countUnfinished: async (shard, after, now) => {
      queried.push(`count of ${shard}`)
      const all = (shards[shard] ?? []).filter(({ place }) => place.diesAt === UNFINISHED)
      const start = after ? all.findIndex(({ place }) => place.companyKey === after.companyKey) + 1 : 0
      const evaluated = all.slice(start, start + COUNTED)
      return {
        count: evaluated.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now).length,
        next: start + COUNTED < all.length ? evaluated.at(-1)?.place : undefined,
      }
    },
    setLastNotified: async () => undefined,
  }
  return { index, queried }
}

const fleet = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => indexed(`${prefix}${index}`, NOW + 86_400 * 50 + index))

const BEGIN = firstPosition()

describe('a scan of the index', () => {
  it('visits every connection once, whatever the page limit of a run', async () => {
    const { index } = createIndex({ a: fleet('a', 1_203), b: [], c: fleet('c', 500), d: fleet('d', 501) })
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

  it('ends with the index, even if the run can read more pages', async () => {
    const { index, queried } = createIndex({ a: fleet('a', 3), b: fleet('b', 3) })
    await scanIndex(index, BEGIN, { maxPages: 100, now: NOW }, () => undefined)
    expect(queried).toEqual(['a', 'b'])
  })

  it('skips an expired unfinished record, and so does a list', async () => {
    const ended = [indexed('over', NOTHING, NOW), indexed('begun', NOTHING, NOW + 1)]
    const { index } = createIndex({ a: ended })
    const { summary } = await scanIndex(index, BEGIN, { maxPages: 9, now: NOW }, () => undefined)
    expect(summary?.counts).toEqual({ ...noCounts(), unfinished: 1 })
    const everything = { limit: 9, places: undefined, status: undefined, environment: undefined, apiClient: undefined }
    const { connections } = await createList(index)(everything, NOW)
    expect(connections.map(({ indexed }) => indexed.connection.companyKey)).toEqual(['begun'])
  })
})

describe('a flood of unfinished records', () => {
  const SHARDS = Array.from({ length: 16 }, (_, shard) => String(shard).padStart(2, '0'))
  const flood = (shard: string, count: number, expiresAt = NOW + 60) =>
    Array.from({ length: count }, (_, row) => indexed(`begun-${shard}-${row}`, UNFINISHED, expiresAt))
  /** Shards of one connection, one disconnected record, and so many unfinished ones. */
  const createFlood = (count: number, expired = 0) =>
    createIndex(
      Object.fromEntries(
        SHARDS.map((shard) => [
          shard,
          [
            ...fleet(`live-${shard}-`, 1),
            {
              ...indexed(`ended-${shard}`, NOTHING),
              connection: { ...createConnection({ companyKey: `ended-${shard}`, realmId: '1' }) },
            },
            ...flood(shard, count),
            ...flood(`${shard}-old`, expired, NOW),
          ],
        ]),
      ),
    )
  /** One run with the 16 queries that a run of the free plan has for the scan. */
  const run = async ({ index, queried }: ReturnType<typeof createFlood>, before = BEGIN) => {
    const seen: string[] = []
    const end = queried.length + 16
    const after = await scanIndex(index, before, { maxPages: 16, now: NOW }, ({ connection }) =>
      seen.push(connection.companyKey),
    )
    return { seen, position: await countUnfinished(index, { before, after, now: NOW }, () => queried.length < end) }
  }

  it('does not delay a connection: the first run and every later one visit all of them', async () => {
    const flooded = createFlood(5_000)
    let position = BEGIN
    for (let count = 1; count <= 5; count++) {
      const result = await run(flooded, position)
      position = result.position
      for (const shard of SHARDS)
        expect(result.seen).toEqual(expect.arrayContaining([`live-${shard}-0`, `ended-${shard}`]))
      expect(position.completedScans).toBe(count)
    }
    expect(flooded.queried.length).toBeLessThanOrEqual(5 * 17)
  })

  it('is read no more once it is known, only counted', async () => {
    const flooded = createFlood(5_000)
    const { position } = await run(flooded)
    expect((await run(flooded, position)).seen).toHaveLength(32)
  })

  it('is in the summary as it is, expired records left out, once it is counted', async () => {
    const flooded = createFlood(5_000, 1_000)
    let { position } = await run(flooded)
    for (let runs = 0; runs < 80; runs++) ({ position } = await run(flooded, position))
    expect(position.summary?.counts).toEqual({ ...noCounts(), connected: 16, disconnected: 16, unfinished: 80_000 })
  })

  it('leaves the summary when it is over', async () => {
    let { position } = await run(createFlood(5_000))
    const over = createFlood(2)
    for (let runs = 0; runs < 60; runs++) ({ position } = await run(over, position))
    expect(position.summary?.counts).toEqual({ ...noCounts(), connected: 16, disconnected: 16, unfinished: 32 })
  })

  it('of records of an earlier version is counted with the connections', async () => {
    const { index } = createIndex({ a: [...fleet('a', 3), indexed('begun', NOTHING, NOW + 1)] })
    const { summary } = await scanIndex(index, BEGIN, { maxPages: 9, now: NOW }, () => undefined)
    expect(summary?.counts).toEqual({ ...noCounts(), connected: 3, unfinished: 1 })
  })
})

describe('a list of a few connections of a large fleet', () => {
  it('makes a limited number of queries per page, and finds all of them', async () => {
    const shards = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, fleet(name, 3_000)]))
    const { index, queried } = createIndex(shards)
    const found: string[] = []
    let places: Parameters<ReturnType<typeof createList>>[0]['places']
    let pages = 0
    do {
      queried.length = 0
      const companies = ['a', 'b', 'c', 'd'].flatMap((name) => ['999', '1999', '2999'].map((end) => `${name}${end}`))
      const apiClient = { name: 'books', may: [], companies }
      const page = await createList(index)(
        { limit: 50, places, status: undefined, environment: undefined, apiClient },
        NOW,
      )
      expect(queried.length).toBeLessThanOrEqual(45)
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
  const arbitraryFleet = fc.record({
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

  it('do not end a scan: each connection is visited once', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryFleet, fc.integer({ min: 1, max: 9 }), async ({ shown, sizes }, pages) => {
        const shards = createShards(shown)
        const { index } = createIndex(shards, sizes)
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

  it('do not end a list or change its order: each connection is listed once, soonest to expire first', async () => {
    const arbitraryLimit = fc.integer({ min: 1, max: 100 })
    const isFiltered = fc.boolean()
    await fc.assert(
      fc.asyncProperty(arbitraryFleet, arbitraryLimit, isFiltered, async ({ shown, sizes }, limit, filtered) => {
        const shards = createShards(shown)
        const { index } = createIndex(shards, sizes)
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
        const expiries = listed.map(({ place }) => place.diesAt)
        expect(expiries).toEqual([...expiries].sort((one, other) => one - other))
      }),
      { numRuns: 100 },
    )
  })
})
