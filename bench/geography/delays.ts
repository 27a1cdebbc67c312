/*
 * Round trips between AWS regions in ms: medians over one year, from cloudping.co (/api/latencies, p_50, 1Y), which
 * measures TCP connections between all regions, as of 29 May 2025. A client's place stands for the Cloudflare location
 * next to the region of its name: the Worker runs there, and its way to DynamoDB is taken to be as long as from that
 * region.
 */
const REGIONS = ['us-east-1', 'eu-central-1', 'ap-southeast-1', 'sa-east-1'] as const
export type Region = (typeof REGIONS)[number]

/** Where a caller is, its continent by Cloudflare's two letters, and the delay from there to each region. */
export interface Place {
  name: string
  continent: string
  roundTripMs: Record<Region, number>
}

const place = (name: string, continent: string, toUs: number, toEu: number, toAp: number, toSa: number): Place => ({
  name,
  continent,
  roundTripMs: { 'us-east-1': toUs, 'eu-central-1': toEu, 'ap-southeast-1': toAp, 'sa-east-1': toSa },
})

/** Ten places on six continents. */
export const PLACES: readonly Place[] = [
  place('Virginia', 'NA', 5.3, 93.1, 219.1, 115.2),
  place('California', 'NA', 63.8, 153.2, 169.7, 174.7),
  place('São Paulo', 'SA', 115.4, 204.9, 327.4, 3.1),
  place('Ireland', 'EU', 69.6, 27.3, 182.0, 178.1),
  place('Frankfurt', 'EU', 92.6, 4.0, 160.6, 203.9),
  place('Cape Town', 'AF', 225.8, 154.5, 315.8, 337.1),
  place('Mumbai', 'AS', 189.7, 128.8, 63.4, 301.2),
  place('Singapore', 'AS', 218.6, 161.3, 3.6, 327.4),
  place('Tokyo', 'AS', 149.2, 227.6, 70.5, 257.4),
  place('Sydney', 'OC', 199.7, 251.8, 94.7, 311.9),
]

export const HOME: Region = 'us-east-1'
/** Near reads: no replica, one, three. */
export const REPLICAS: readonly Region[][] = [[], ['eu-central-1'], ['eu-central-1', 'ap-southeast-1', 'sa-east-1']]

/** From a caller to the Worker and back: the next Cloudflare location. An assumption, the same for all. */
export const CALLER_MS = 10
/** What DynamoDB itself takes for a read: an assumption within its "single-digit milliseconds". */
export const DYNAMODB_MS = 4

export const isRegion = (text: string | undefined): text is Region => REGIONS.some((region) => region === text)
