import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Service } from '../test/support/worker-harness.ts'
import { TOKEN_LENGTHS } from './limits.ts'

const KB = 1024
const utf8 = (text: string) => Buffer.byteLength(text)

/** A number takes one byte for two significant digits, and one more. */
const numberBytes = (digits: string) => Math.ceil(digits.replace(/^-?0*|\.|0*$/g, '').length / 2) + 1

const valueBytes = (value: AttributeValue): number => {
  if (value.S !== undefined) return utf8(value.S)
  if (value.N !== undefined) return numberBytes(value.N)
  if (value.BOOL !== undefined) return 1
  throw new Error('itemBytes supports S, N and BOOL only.')
}

/** The size of an item: the UTF-8 of each name, and its value (DynamoDB developer guide, "Item sizes and formats"). */
export const itemBytes = (item: Record<string, AttributeValue>): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + utf8(name) + valueBytes(value), 0)

/** A strongly consistent read takes one unit for 4 KB. */
export const readUnits = (bytes: number): number => Math.ceil(bytes / (4 * KB))
/** A write takes one unit for 1 KB of the larger of the item before and after. */
export const writeUnits = (bytes: number): number => Math.ceil(bytes / KB)

/** The size in bytes of a stored connection, with tokens of the usual length and with the longest that Intuit may send. */
export const measureStoredItems = async (service: Service): Promise<Record<keyof typeof TOKEN_LENGTHS, number>> => {
  const measure = async (lengths: keyof typeof TOKEN_LENGTHS) => {
    await service.intuit.turn(TOKEN_LENGTHS[lengths])
    const key = `${lengths}-tokens`
    const response = await service.connect(key, { companyName: 'Beach Blend Coffee Roasters and Sons' })
    const item = await service.dynamo.item(`connection#${key}`)
    if (!response.ok || !item) throw new Error(`The callback responded with ${response.status}.`)
    return itemBytes(item)
  }
  return { usual: await measure('usual'), longest: await measure('longest') }
}
