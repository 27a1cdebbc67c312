/*
 * The AWS partitions and their region names, from the partition table of the AWS SDKs. The list of directions is stricter
 * than theirs, so that a misspelt region is rejected here and not by a failed DNS lookup. A region that is missing here
 * needs DYNAMODB_ENDPOINT.
 */
const DIRECTION = '(north|south|east|west|central|northeast|northwest|southeast|southwest)'
const PARTITIONS = (
  [
    ['(us|eu|ap|sa|ca|me|af|il|mx|us-gov)', 'amazonaws.com'],
    ['cn', 'amazonaws.com.cn'],
    ['eusc-de', 'amazonaws.eu'],
    ['us-iso', 'c2s.ic.gov'],
    ['us-isob', 'sc2s.sgov.gov'],
    ['eu-isoe', 'cloud.adc-e.uk'],
    ['us-isof', 'csp.hci.ic.gov'],
  ] as const
).map(([area, domain]) => ({ regions: new RegExp(`^${area}-${DIRECTION}-\\d+$`), domain }))

/** Looks like an AWS region, misspelt or not: `us-east1`, `us-east-1a`, `useast1`. */
const REGION_LIKE =
  /^(us|eu|ap|sa|ca|me|af|il|mx|cn|eusc)-?(gov|iso[bef]?|de)?-?(north|south|east|west|central)[a-z]*-?\d/

/** The URL of DynamoDB in a region. `undefined`: the region is unknown. */
export function regionalEndpoint(region: string): string | undefined {
  const partition = PARTITIONS.find(({ regions }) => regions.test(region))
  return partition && `https://dynamodb.${region}.${partition.domain}/`
}

/**
 * Whether a region name is valid. With a custom endpoint, any name is valid that does not look like an AWS region, such
 * as `local`.
 */
export function isRegion(region: string, hasEndpoint: boolean): boolean {
  if (regionalEndpoint(region) !== undefined) return true
  return hasEndpoint && /^[a-z0-9-]+$/.test(region) && !REGION_LIKE.test(region)
}
