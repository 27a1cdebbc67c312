import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import * as v from 'valibot'
import type { Item } from './dynamodb.ts'

/** Converts a value to DynamoDB's format: a string to S, a number to N, a boolean to BOOL. */
export function toAttribute(value: string | number | boolean): AttributeValue {
  if (typeof value === 'string') return { S: value }
  return typeof value === 'number' ? { N: String(value) } : { BOOL: value }
}

type Values = Record<string, string | number | boolean | undefined>

/** Converts an item, or the values of an expression. Omits `undefined` values. */
export function toAttributes(values: Values): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, toAttribute(value)]])),
  )
}

function readMember(item: Item, name: string, type: 'S' | 'N' | 'BOOL'): unknown {
  const value = item[name]
  return typeof value === 'object' && value !== null ? Reflect.get(value, type) : undefined
}

/** Reads a string attribute. `undefined`: it is absent, empty or of another type. */
export function readText(item: Item, name: string): string | undefined {
  const value = readMember(item, name, 'S')
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Reads a number attribute, without its fraction. `undefined`: it is absent, of another type, or beyond 2^53. */
export function readInteger(item: Item, name: string): number | undefined {
  const value = readMember(item, name, 'N')
  const whole = typeof value === 'string' ? Math.floor(Number(value)) : Number.NaN
  return Number.isSafeInteger(whole) ? whole : undefined
}

/** The latest time that counts as seconds: the year 5138. As milliseconds it is the year 1973. */
export const LATEST_SECONDS = 1e11
/** Milliseconds, microseconds and nanoseconds per second. */
const FINER_UNITS = [1e3, 1e6, 1e9]

/**
 * Reads a time and converts it to seconds: a record written by hand may contain milliseconds, microseconds or
 * nanoseconds.
 */
export function readEpochSeconds(item: Item, name: string): number | undefined {
  const value = readInteger(item, name)
  if (value === undefined || value <= LATEST_SECONDS) return value
  const unit = FINER_UNITS.find((perSecond) => value / perSecond <= LATEST_SECONDS)
  return unit === undefined ? undefined : Math.floor(value / unit)
}

/** Reads a number attribute as text, because an id of 19 digits is too long for a JavaScript number. */
export function readDigits(item: Item, name: string): string | undefined {
  const value = readMember(item, name, 'N')
  return typeof value === 'string' ? value : undefined
}

/** Reads a boolean attribute. `undefined`: it is absent or of another type. */
/** Reads a boolean attribute. `undefined`: it is absent or of another type. */
export function readFlag(item: Item, name: string): boolean | undefined {
  const value = readMember(item, name, 'BOOL')
  return typeof value === 'boolean' ? value : undefined
}

/** Reads a string attribute that contains JSON. `undefined`: it is absent, not JSON, or does not match the schema. */
export function readJson<Schema extends v.GenericSchema>(
  item: Item,
  name: string,
  schema: Schema,
): v.InferOutput<Schema> | undefined {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), readText(item, name))
  return result.success ? result.output : undefined
}

/** The assignments of an update expression: `a = :a, b = :b`. Omits `undefined` values. */
export function toAssignments(values: Values): string {
  return Object.keys(toAttributes(values))
    .map((name) => `${name} = :${name}`)
    .join(', ')
}

/** The expression attribute values for `toAssignments`. */
export function toAssignedValues(values: Values): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(toAttributes(values)).map(([name, value]) => [`:${name}`, value]))
}
