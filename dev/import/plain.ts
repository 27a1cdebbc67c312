/** The attributes of a record without DynamoDB's types. A number too long for JavaScript is a string of digits. */
export type PlainRecord = Record<string, unknown>

const TYPES = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'M', 'L', 'SS', 'NS', 'BS'])

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isTyped = (value: unknown): value is Record<string, unknown> => {
  if (!isObject(value)) return false
  const [type, ...more] = Object.keys(value)
  return type !== undefined && more.length === 0 && TYPES.has(type)
}

/** The members around a record in an export to S3 and in the output of `aws dynamodb get-item`. */
const WRAPPER_MEMBERS = new Set(['Item', 'ConsumedCapacity'])

const isExact = (digits: string) => digits.includes('.') || Number.isSafeInteger(Number(digits))

const toPlainValue = (value: Record<string, unknown>): unknown => {
  const [type = '', inner] = Object.entries(value)[0] ?? []
  if (type === 'NULL') return undefined
  return type === 'N' && typeof inner === 'string' && isExact(inner) ? Number(inner) : inner
}

/**
 * Converts DynamoDB's JSON (`{"company_key": {"S": "beach-blend"}}`, also under `Item` as in an export to S3) or plain
 * JSON. `undefined`: not an object.
 */
export const toPlainRecord = (value: unknown): PlainRecord | undefined => {
  if (!isObject(value)) return undefined
  const item =
    isObject(value['Item']) && Object.keys(value).every((name) => WRAPPER_MEMBERS.has(name)) ? value['Item'] : value
  const values = Object.entries(item)
  const typed = values.length > 0 && values.every(([, attribute]) => isTyped(attribute))
  const plain = values.map(([name, attribute]) => [
    name,
    typed && isTyped(attribute) ? toPlainValue(attribute) : attribute,
  ])
  // An empty value means unknown.
  return Object.fromEntries(
    plain.filter(([, attribute]) => attribute !== undefined && attribute !== null && attribute !== ''),
  )
}
