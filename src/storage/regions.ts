import type { CallerLocation } from '../broker/ports/storage.ts'

/*
 * Prefixes of AWS regions, nearest first, for a caller on a continent at or east of a longitude. A region without a prefix
 * here is farther than all others. The order is by round-trip time and not by distance: from Tokyo, Virginia is nearer
 * than Frankfurt (medians of cloudping.co, quoted in bench/geography/delays.ts). A Worker usually runs near its caller.
 */
const ORDERS: readonly [continent: string, fromLongitude: number, order: string][] = [
  ['AF', -180, 'af eu il me ap-south- us'],
  // Japan and Korea; China and Southeast Asia; South Asia; the Middle East.
  ['AS', 117, 'ap-northeast ap-east ap-southeast-1 ap us-west us'],
  ['AS', 95, 'ap-southeast-1 ap-southeast-5 ap-southeast-7 ap-southeast-3 ap-east ap me eu us-west us'],
  ['AS', 60, 'ap-south- me ap-southeast-1 il eu ap us'],
  ['AS', -180, 'me il eu ap-south- af us ap'],
  ['EU', -180, 'eu il us-east ca me us ap-south- af ap-southeast-1'],
  ['NA', -100, 'us-east ca-central us ca mx eu sa'],
  ['NA', -180, 'us-west ca-west us ca mx ap-northeast eu'],
  ['OC', -180, 'ap-southeast-2 ap-southeast-4 ap-southeast-6 ap-southeast ap-northeast ap us-west us'],
  ['SA', -180, 'sa us-east us mx ca eu'],
]

/** The longitude if Cloudflare sends none: in the east of America, and in the middle of Asia. */
const DEFAULT_LONGITUDE = 100

/**
 * Ranks AWS regions by their round-trip time to a caller: the nearest has the lowest rank. All are equal if the
 * continent is unknown.
 */
export function createRegionRanking({
  continent,
  longitude = DEFAULT_LONGITUDE,
}: CallerLocation): (region: string) => number {
  const [, , order = ''] = ORDERS.find(([name, from]) => name === continent && longitude >= from) ?? []
  // The empty prefix at the end matches every other region.
  const prefixes = `${order} `.split(' ')
  return (region) => prefixes.findIndex((prefix) => region.startsWith(prefix))
}
