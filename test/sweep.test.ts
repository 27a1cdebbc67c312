import { describe, expect, it } from 'vitest'
import type { FleetIndex, Sighting } from '../src/broker/fleet-ports.ts'
import { listing } from '../src/broker/listing.ts'
import { noCounts, type Swept, sweeping } from '../src/broker/sweep.ts'

const NOW = 1_790_000_000
const NOTHING = 9_999_999_999

const sighting = (companyKey: string, diesAt: number, expiresAt?: number): Sighting => ({
  connection: {
    ...{ companyKey, companyName: companyKey, environment: 'production', realmId: undefined, generation: 0 },
    ...{ accessToken: undefined, accessTokenExpiresAt: 1, refreshToken: undefined, refreshTokenExpiresAt: diesAt },
    ...{ refreshTokenHardExpiresAt: undefined, refreshTokenHash: undefined, writtenBy: undefined, lease: undefined },
    ...{ createdAt: 1, updatedAt: 1, lastRefreshAt: 1, failure: undefined, disconnection: undefined, refreshes: [] },
  },
  ...{
    holdsAccessToken: diesAt !== NOTHING,
    holdsRefreshToken: diesAt !== NOTHING,
    place: { diesAt, companyKey },
    expiresAt,
    alerted: undefined,
  },
})

/** An index over what it is given, and how often it was asked. */
const indexOf = (shards: Record<string, Sighting[]>) => {
  const asked: string[] = []
  const index: FleetIndex = {
    ...{ shards: Object.keys(shards), nothingToDie: NOTHING },
    page: async (shard, { from, to }, after, limit) => {
      asked.push(shard)
      const all = (shards[shard] ?? []).filter(({ place }) => place.diesAt >= from && place.diesAt <= to)
      const start = after ? all.findIndex(({ place }) => place.companyKey === after.companyKey) + 1 : 0
      return { sightings: all.slice(start, start + limit), more: start + limit < all.length }
    },
    noteAlerted: async () => undefined,
  }
  return { index, asked }
}

const fleet = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => sighting(`${prefix}${index}`, NOW + 86_400 * 50 + index))

const BEGIN: Swept = { shard: 0, after: undefined, counts: noCounts(), summary: undefined }

describe('a round over the index', () => {
  it('sees every connection once, whatever a run may read', async () => {
    const { index } = indexOf({ a: fleet('a', 1_203), b: [], c: fleet('c', 500), d: fleet('d', 501) })
    for (const pages of [1, 2, 3, 100]) {
      const seen: string[] = []
      let swept = BEGIN
      for (let run = 0; run < 20 && !swept.summary; run++) {
        swept = await sweeping(index)(swept, pages, NOW, ({ connection }) => seen.push(connection.companyKey))
      }
      expect(new Set(seen).size).toBe(2_204)
      expect(seen).toHaveLength(2_204)
      expect(swept.summary).toEqual({ counts: { ...noCounts(), connected: 2_204 }, countedAt: NOW })
      expect(swept).toMatchObject({ shard: 0, after: undefined, counts: noCounts() })
    }
  })

  it('goes round once in a run, however much it may read', async () => {
    const { index, asked } = indexOf({ a: fleet('a', 3), b: fleet('b', 3) })
    await sweeping(index)(BEGIN, 100, NOW, () => undefined)
    expect(asked).toEqual(['a', 'b'])
  })

  it('passes over an unfinished record that has ended, and so does a list', async () => {
    const ended = [sighting('over', NOTHING, NOW), sighting('begun', NOTHING, NOW + 1)]
    const { index } = indexOf({ a: ended })
    const { summary } = await sweeping(index)(BEGIN, 9, NOW, () => undefined)
    expect(summary?.counts).toEqual({ ...noCounts(), unfinished: 1 })
    const everything = { limit: 9, places: undefined, status: undefined, environment: undefined, reaches: undefined }
    const { connections } = await listing(index)(everything, NOW)
    expect(connections.map(({ sighting }) => sighting.connection.companyKey)).toEqual(['begun'])
  })
})

describe('a list of few of very many', () => {
  it('asks so much at the most, and leads on to all of them', async () => {
    const shards = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, fleet(name, 3_000)]))
    const { index, asked } = indexOf(shards)
    const found: string[] = []
    let places: Parameters<ReturnType<typeof listing>>[0]['places']
    let pages = 0
    do {
      asked.length = 0
      const reaches = (companyKey: string) => companyKey.endsWith('999')
      const page = await listing(index)({ limit: 50, places, status: undefined, environment: undefined, reaches }, NOW)
      expect(asked.length).toBeLessThanOrEqual(45)
      found.push(...page.connections.map(({ sighting }) => sighting.connection.companyKey))
      places = page.places
    } while (places && ++pages < 20)
    expect(new Set(found)).toEqual(
      new Set(['a', 'b', 'c', 'd'].flatMap((name) => ['1999', '2999', '999'].map((end) => `${name}${end}`))),
    )
    expect(found).toHaveLength(12)
  })
})
