/*
 * Round trips between AWS regions in ms: medians over one year as of 29 May 2025, from cloudping.co (/api/latencies,
 * p_50, 1Y), which measures TCP connections between all regions. The simulation assumes that the Worker runs at the
 * Cloudflare location next to the caller, and that its round trips are those of the AWS region at that place.
 */
const REGIONS = ['us-east-1', 'eu-central-1', 'ap-southeast-1', 'sa-east-1'] as const
/** A region that may hold the table or a replica. */
export type Region = (typeof REGIONS)[number]

/** The place of a caller, with Cloudflare's code of the continent, and the round trip to each region. */
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

/** The primary region. */
export const PRIMARY: Region = 'us-east-1'
/** The primary region as a place. `[placement]` runs the Worker there. */
export const NEXT_TO_PRIMARY = place('Virginia', 'NA', -77, [5.3, 93.1, 219.1, 115.2])

/** Ten places on six continents. */
export const PLACES: readonly Place[] = [
  NEXT_TO_PRIMARY,
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

/** Replicas and placement of a deployment. */
export interface Deployment {
  name: string
  replicas: readonly Region[]
  /** Whether `[placement]` runs the Worker next to the primary region instead of next to the caller. */
  isPlaced: boolean
}

/** The deployments that the simulation compares. */
export const DEPLOYMENTS: readonly Deployment[] = [
  { name: 'primary only', replicas: [], isPlaced: false },
  { name: 'one replica', replicas: ['eu-central-1'], isPlaced: false },
  { name: 'three replicas', replicas: ['eu-central-1', 'ap-southeast-1', 'sa-east-1'], isPlaced: false },
  { name: 'placed', replicas: [], isPlaced: true },
]

/** Assumed round trip from a caller to the next Cloudflare location. */
export const CALLER_MS = 10
/** Assumed time of a read within DynamoDB, which promises "single-digit milliseconds". */
export const DYNAMODB_MS = 4

/** Whether the simulation has delays for a region. */
export const isRegion = (text: string | undefined): text is Region => REGIONS.some((region) => region === text)
