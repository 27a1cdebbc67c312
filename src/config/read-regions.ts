import * as v from 'valibot'
import { isRegion, regionalEndpoint } from './aws-regions.ts'
import { isHttpOrigin, TEXT } from './formats.ts'

function toEntry(entry: string) {
  const [region = '', ...rest] = entry.trim().split('=')
  return { region, given: rest.length === 0 ? undefined : rest.join('=') }
}
function isEntry(entry: string) {
  const { region, given } = toEntry(entry)
  if (!isRegion(region, given !== undefined)) return false
  return given === undefined || (/^[\x21-\x7E]+$/.test(given) && isHttpOrigin(given))
}

/** Where replicas of the table may be read: `eu-west-1,sa-east-1`, or `eu-west-1=http://127.0.0.1:8001` for another endpoint. */
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
      const { region, given } = toEntry(entry)
      return { region, endpoint: given ?? regionalEndpoint(region) ?? '' }
    }),
  ),
)
