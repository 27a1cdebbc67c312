import type { CallerLocation } from '../broker/ports/storage.ts'

/*
 * From where Cloudflare says that a caller is, by continent and by the longitude from which an order holds eastward, the
 * AWS regions from near to far, by the beginnings of their names; what is not named is farther. Ordered by round trips
 * and not by distance: from Tokyo, Virginia is nearer than Frankfurt (the medians of cloudping.co that
 * bench/geography/delays.ts quotes). The Worker is near the caller, as a rule.
 */
const ORDERS: readonly [continent: string, fromLongitude: number, order: string][] = [
  ['AF', -180, 'af eu il me ap-south- us'],
  // Japan and Korea; China and the southeast; India and its neighbours; the Gulf and the Levant.
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

/** Where Cloudflare tells no longitude: east of America's line, in the midst of Asia's. */
const SOME_LONGITUDE = 100

/** Ranks AWS regions by their nearness to a caller: the nearest has the least. Where nothing is known all are equal. */
export function rankFrom({ continent, longitude = SOME_LONGITUDE }: CallerLocation): (region: string) => number {
  const [, , order = ''] = ORDERS.find(([name, from]) => name === continent && longitude >= from) ?? []
  const beginnings = `${order} `.split(' ')
  return (region) => beginnings.findIndex((beginning) => region.startsWith(beginning))
}
