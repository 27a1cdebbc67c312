import * as v from 'valibot'
import { isRegion, regionalEndpoint } from './aws-regions.ts'
import { isHttpOrigin, TEXT } from './formats.ts'

function parseEntry(entry: string) {
  const [region = '', ...rest] = entry.trim().split('=')
  return { region, customEndpoint: rest.length === 0 ? undefined : rest.join('=') }
}

function isEntry(entry: string) {
  const { region, customEndpoint } = parseEntry(entry)
  if (!isRegion(region, customEndpoint !== undefined)) return false
  return customEndpoint === undefined || (/^[\x21-\x7E]+$/.test(customEndpoint) && isHttpOrigin(customEndpoint))
}

/**
 * The replica regions of the table: `eu-west-1,sa-east-1`, or `eu-west-1=http://127.0.0.1:8001` for a custom endpoint.
 */
export const READ_REGIONS = v.pipe(
  v.object({
    DYNAMODB_READ_REGIONS: v.optional(
      v.pipe(
        TEXT,
        v.check((list) => list.split(',').every(isEntry), 'must be regions such as eu-west-1,sa-east-1'),
      ),
    ),
  }),
  v.transform(({ DYNAMODB_READ_REGIONS: list }) =>
    (list?.split(',') ?? []).map((entry) => {
      const { region, customEndpoint } = parseEntry(entry)
      return { region, endpoint: customEndpoint ?? regionalEndpoint(region) ?? '' }
    }),
  ),
)
