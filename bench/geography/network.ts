import * as v from 'valibot'
import { DYNAMODB_MS, isRegion, type Place, type Region } from './delays.ts'

const READ = v.object({ Key: v.object({ pk: v.object({ S: v.string() }) }) })

/** `https://dynamodb.eu-central-1.amazonaws.com/` → `eu-central-1` */
const parseRegion = (url: string): Region => {
  const region = new URL(url).hostname.split('.')[1]
  if (!isRegion(region)) throw new Error(`The simulation has no region ${region}.`)
  return region
}

/**
 * Replaces `fetch` and `Date.now` of this global scope with a simulated network and its clock. Only network delays advance
 * the clock. Every region holds the same items.
 */
export const simulateNetwork = (items: ReadonlyMap<string, object>) => {
  let now = 0
  let from: Place | undefined

  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    now += (from?.roundTripMs[parseRegion(request.url)] ?? 0) + DYNAMODB_MS
    const { Key } = v.parse(READ, await request.json())
    const item = items.get(Key.pk.S)
    return Response.json(item ? { Item: item } : {})
  }
  Date.now = () => now

  return {
    now: () => now,
    /** Sets the clock, and the place that later requests leave from. */
    moveTo: (place: Place, at: number) => {
      from = place
      now = at
    },
  }
}
