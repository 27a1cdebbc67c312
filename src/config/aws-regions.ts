/*
 * The partitions of AWS by the names of their regions, as in the AWS SDKs' partition table. The directions are narrower
 * than theirs, so that a misspelt region is refused here rather than looked up in DNS. A region that this does not know
 * takes DYNAMODB_ENDPOINT.
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

/** The beginning of a region of AWS, well spelt or not: `us-east1`, `us-east-1a`, `useast1`. */
const REGION_LIKE =
  /^(us|eu|ap|sa|ca|me|af|il|mx|cn|eusc)-?(gov|iso[bef]?|de)?-?(north|south|east|west|central)[a-z]*-?\d/

/** DynamoDB's own endpoint in a region; `undefined` where there is no such region. */
export function regionalEndpoint(region: string): string | undefined {
  const partition = PARTITIONS.find(({ regions }) => regions.test(region))
  return partition && `https://dynamodb.${region}.${partition.domain}/`
}

/** Whether requests may be signed for a region. An endpoint of one's own may have a region of any name, such as `local`. */
export function isRegion(region: string, hasEndpoint: boolean): boolean {
  if (regionalEndpoint(region) !== undefined) return true
  return hasEndpoint && /^[a-z0-9-]+$/.test(region) && !REGION_LIKE.test(region)
}
