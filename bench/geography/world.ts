import * as v from 'valibot'
import type { Item } from '../table.ts'
import { DYNAMODB_MS, isRegion, type Place, type Region } from './delays.ts'

const READ = v.object({ ConsistentRead: v.optional(v.boolean()), Key: v.object({ pk: v.object({ S: v.string() }) }) })

/** `https://dynamodb.eu-central-1.amazonaws.com/` → `eu-central-1` */
const regionOf = (url: string): Region => {
  const region = new URL(url).hostname.split('.')[1]
  if (!isRegion(region)) throw new Error('A request went to a place that the simulation does not know.')
  return region
}

/**
 * A world with a clock of its own, which network delays move and nothing else: `fetch` and `Date.now` of this process
 * belong to it from here on. Every region holds the same items.
 */
export const takeOverWorld = (items: Map<string, Item>, startMs: number) => {
  let now = startMs
  let from: Place | undefined

  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const region = regionOf(request.url)
    now += (from?.roundTripMs[region] ?? 0) + DYNAMODB_MS
    const { Key } = v.parse(READ, await request.json())
    const item = items.get(Key.pk.S)
    return Response.json(item ? { Item: item } : {})
  }
  Date.now = () => now

  return {
    now: () => now,
    /** Sets the clock and the place that requests go out from. */
    stand: (place: Place, at: number) => {
      from = place
      now = at
    },
  }
}
