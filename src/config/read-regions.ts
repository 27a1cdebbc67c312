import * as v from 'valibot'

/** DynamoDB's own endpoint in a region. */
export function regionalEndpoint(region: string): string {
  return `https://dynamodb.${region}.amazonaws.com/`
}

const LIST = /^(\s*[a-z]+(-[a-z]+)+-\d+(=https?:\/\/[\w.:[\]-]+\/?)?\s*(,(?!$)|$))+$/
function entriesOf(text: string) {
  return text.split(',').map((entry) => {
    const [region = '', endpoint = regionalEndpoint(region)] = entry.trim().split('=')
    return { region, endpoint }
  })
}

/** Where replicas of the table may be read: `eu-west-1,sa-east-1`, or `eu-west-1=http://127.0.0.1:8001` for another endpoint. */
export function readRegions() {
  return v.pipe(
    v.object({
      DYNAMODB_READ_REGIONS: v.optional(
        v.pipe(v.string(), v.regex(LIST, 'must be regions such as eu-west-1,sa-east-1')),
      ),
    }),
    v.transform(({ DYNAMODB_READ_REGIONS: list }) => (list ? entriesOf(list) : [])),
  )
}
