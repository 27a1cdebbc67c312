/** A record's attributes without DynamoDB's types. A number too long for JavaScript stays a string of digits. */
export type PlainRecord = Record<string, unknown>

const TYPES = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'M', 'L', 'SS', 'NS', 'BS'])

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isTyped = (value: unknown): value is Record<string, unknown> => {
  if (!isObject(value)) return false
  const [type, ...more] = Object.keys(value)
  return type !== undefined && more.length === 0 && TYPES.has(type)
}

/** What an export to S3 and `aws dynamodb get-item` put around a record. */
const AROUND_ITEM = new Set(['Item', 'ConsumedCapacity'])

const isExact = (digits: string) => digits.includes('.') || Number.isSafeInteger(Number(digits))

const plainValue = (value: Record<string, unknown>): unknown => {
  const [type = '', inner] = Object.entries(value)[0] ?? []
  if (type === 'NULL') return undefined
  return type === 'N' && typeof inner === 'string' && isExact(inner) ? Number(inner) : inner
}

/**
 * Reads DynamoDB's JSON (`{"company_key": {"S": "beach-blend"}}`, also under `Item` as an export to S3 has it) and plain
 * JSON. `undefined` for what is no object.
 */
export const plainRecord = (value: unknown): PlainRecord | undefined => {
  if (!isObject(value)) return undefined
  const item =
    isObject(value['Item']) && Object.keys(value).every((name) => AROUND_ITEM.has(name)) ? value['Item'] : value
  const values = Object.entries(item)
  const typed = values.length > 0 && values.every(([, attribute]) => isTyped(attribute))
  const plain = values.map(([name, attribute]) => [
    name,
    typed && isTyped(attribute) ? plainValue(attribute) : attribute,
  ])
  // An empty or absent value is one that is not known.
  return Object.fromEntries(
    plain.filter(([, attribute]) => attribute !== undefined && attribute !== null && attribute !== ''),
  )
}
