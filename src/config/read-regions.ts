import * as v from 'valibot'

/** DynamoDB's own endpoint in a region. */
export const regionalEndpoint = (region: string): string => `https://dynamodb.${region}.amazonaws.com/`

const ENTRY = /^([a-z]+(?:-[a-z]+)+-\d+)(?:=(.+))?$/

/** Where replicas of the table may be read: `eu-west-1,sa-east-1`, or `eu-west-1=http://127.0.0.1:8001` for an endpoint of another. */
export const readRegions = (isEndpoint: (text: string) => boolean) => {
  const entriesOf = (text: string) =>
    text.split(',').flatMap((entry) => {
      const [, region, endpoint] = ENTRY.exec(entry.trim()) ?? []
      if (!region || (endpoint && !isEndpoint(endpoint))) return []
      return [{ region, endpoint: endpoint ?? regionalEndpoint(region) }]
    })
  const isList = (text: string) => new Set(entriesOf(text).map(({ region }) => region)).size === text.split(',').length
  return v.pipe(
    v.object({
      DYNAMODB_READ_REGIONS: v.optional(
        v.pipe(
          v.string(),
          v.check(isList, 'must be regions such as eu-west-1,sa-east-1, each once'),
          v.transform(entriesOf),
        ),
      ),
    }),
    v.transform((env) => env.DYNAMODB_READ_REGIONS ?? []),
  )
}
