import type { Whereabouts } from '../broker/ports.ts'

/*
 * For each of Cloudflare's continents the AWS regions from near to far, by the beginnings of their names; what is not
 * named is farther. Where one continent needs several orders, each is headed by the longitude from which it holds
 * eastward. Ordered by round trips, not by distance: from Tokyo, Virginia is nearer than Frankfurt (the medians of
 * cloudping.co that bench/geography/delays.ts quotes). Cloudflare tells where the caller is; the Worker is near it.
 */
const ORDERS: Record<string, readonly [fromLongitude: number, order: string][]> = {
  AF: [[-180, 'af- eu- il- me- ap-south- us-east- ca- us-']],
  // Japan and Korea; China and the southeast; India and its neighbours; the Gulf and the Levant.
  AS: [
    [117, 'ap-northeast- ap-east- ap-southeast-1 ap-southeast- us-west- ap-south- ca-west- us- ca- eu-'],
    [95, 'ap-southeast-1 ap-southeast-5 ap-southeast-7 ap-southeast-3 ap-east- ap-south- ap- me- eu- us-west- us-'],
    [60, 'ap-south- me- ap-southeast-1 ap-southeast-5 ap-southeast-7 ap-southeast-3 il- eu- ap- us-'],
    [-180, 'me- il- eu- ap-south- af- ap-southeast-1 us-east- ca- ap- us-'],
  ],
  EU: [[-180, 'eu- il- us-east- ca-central- me- us- ca- ap-south- af- ap-southeast-1 sa- ap-']],
  NA: [
    [-100, 'us-east- ca-central- us- ca- mx- eu- sa- ap-northeast-'],
    [-180, 'us-west- ca-west- mx- us- ca- ap-northeast- eu- ap-southeast-1 sa-'],
  ],
  OC: [[-180, 'ap-southeast-2 ap-southeast-4 ap-southeast-6 ap-southeast- ap-northeast- ap- us-west- us- ca- eu-']],
  SA: [[-180, 'sa- us-east- mx- ca-central- us- ca- eu- af-']],
}

/** Where Cloudflare tells no longitude: east of America's line, in the midst of Asia's. */
const SOME_LONGITUDE = 100

const orderFor = ({ continent = '', longitude = SOME_LONGITUDE }: Whereabouts): string[] => {
  const [, order = ''] = ORDERS[continent]?.find(([from]) => longitude >= from) ?? []
  return order.split(' ')
}

/** The region nearest to a caller: `home`, unless a replica is nearer. Of equals the first one named. */
export const nearest = (from: Whereabouts, home: string, replicas: readonly string[]): string => {
  const order = orderFor(from)
  const rank = (region: string) => {
    const index = order.findIndex((beginning) => region.startsWith(beginning))
    return index === -1 ? order.length : index
  }
  return replicas.reduce((best, region) => (rank(region) < rank(best) ? region : best), home)
}
