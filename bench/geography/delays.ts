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
  /** In degrees. */
  longitude: number
  roundTripMs: Record<Region, number>
}

type Delays = [toUs: number, toEu: number, toAp: number, toSa: number]

const place = (name: string, continent: string, longitude: number, [toUs, toEu, toAp, toSa]: Delays): Place => ({
  name,
  continent,
  longitude,
  roundTripMs: { 'us-east-1': toUs, 'eu-central-1': toEu, 'ap-southeast-1': toAp, 'sa-east-1': toSa },
})

export const HOME: Region = 'us-east-1'
/** In the home region itself, where a placed Worker runs. */
export const AT_HOME = place('Virginia', 'NA', -77, [5.3, 93.1, 219.1, 115.2])

/** Ten places on six continents. */
export const PLACES: readonly Place[] = [
  AT_HOME,
  place('California', 'NA', -120, [63.8, 153.2, 169.7, 174.7]),
  place('São Paulo', 'SA', -47, [115.4, 204.9, 327.4, 3.1]),
  place('Ireland', 'EU', -6, [69.6, 27.3, 182.0, 178.1]),
  place('Frankfurt', 'EU', 9, [92.6, 4.0, 160.6, 203.9]),
  place('Cape Town', 'AF', 18, [225.8, 154.5, 315.8, 337.1]),
  place('Mumbai', 'AS', 73, [189.7, 128.8, 63.4, 301.2]),
  place('Singapore', 'AS', 104, [218.6, 161.3, 3.6, 327.4]),
  place('Tokyo', 'AS', 140, [149.2, 227.6, 70.5, 257.4]),
  place('Sydney', 'OC', 151, [199.7, 251.8, 94.7, 311.9]),
]

/** One way to deploy. */
export interface SetUp {
  name: string
  replicas: readonly Region[]
  /** Whether the Worker runs next to the home region (`[placement]`), and not next to the caller. */
  placed: boolean
}

export const SET_UPS: readonly SetUp[] = [
  { name: 'home alone', replicas: [], placed: false },
  { name: 'one replica', replicas: ['eu-central-1'], placed: false },
  { name: 'three replicas', replicas: ['eu-central-1', 'ap-southeast-1', 'sa-east-1'], placed: false },
  { name: 'placed at home', replicas: [], placed: true },
]

/** From a caller to the Worker and back: the next Cloudflare location. An assumption, the same for all. */
export const CALLER_MS = 10
/** What DynamoDB itself takes for a read: an assumption within its "single-digit milliseconds". */
export const DYNAMODB_MS = 4

export const isRegion = (text: string | undefined): text is Region => REGIONS.some((region) => region === text)
