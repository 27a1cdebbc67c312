import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Item } from './dynamodb.ts'

/** DynamoDB's notation for a value: strings as S, numbers as N, booleans as BOOL. */
export function attribute(value: string | number | boolean): AttributeValue {
  if (typeof value === 'string') return { S: value }
  return typeof value === 'number' ? { N: String(value) } : { BOOL: value }
}

type Values = Record<string, string | number | boolean | undefined>

/** A whole item, or the values of an expression; those that are `undefined` are left out. */
export function attributes(values: Values): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, attribute(value)]])),
  )
}

function member(item: Item, name: string, type: 'S' | 'N' | 'BOOL'): unknown {
  const value = item[name]
  return typeof value === 'object' && value !== null ? Reflect.get(value, type) : undefined
}

/** A string attribute; an absent or an empty one is `undefined`. */
export function text(item: Item, name: string): string | undefined {
  const value = member(item, name, 'S')
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The whole part of a number attribute; one that JavaScript cannot hold exactly is `undefined`. */
export function integer(item: Item, name: string): number | undefined {
  const value = member(item, name, 'N')
  const whole = typeof value === 'string' ? Math.floor(Number(value)) : Number.NaN
  return Number.isSafeInteger(whole) ? whole : undefined
}

/** No time in seconds is later: the year 5138. In milliseconds it is the year 1973. */
export const LATEST_SECONDS = 1e11
/** Milliseconds, microseconds, nanoseconds. */
const FINER_UNITS = [1e3, 1e6, 1e9]

/** A time in seconds. Records written by hand may have it in a finer unit; a value that is no time at all is `undefined`. */
export function epochSeconds(item: Item, name: string): number | undefined {
  const value = integer(item, name)
  if (value === undefined || value <= LATEST_SECONDS) return value
  const unit = FINER_UNITS.find((one) => value / one <= LATEST_SECONDS)
  return unit === undefined ? undefined : Math.floor(value / unit)
}

/** The digits of a number attribute as they are: an id of 19 digits is too long for a JavaScript number. */
export function digits(item: Item, name: string): string | undefined {
  const value = member(item, name, 'N')
  return typeof value === 'string' ? value : undefined
}

export function flag(item: Item, name: string): boolean | undefined {
  const value = member(item, name, 'BOOL')
  return typeof value === 'boolean' ? value : undefined
}

/** `a = :a, b = :b` for an update expression, those that are `undefined` left out. */
export function assignments(values: Values): string {
  return Object.keys(attributes(values))
    .map((name) => `${name} = :${name}`)
    .join(', ')
}

/** The values that `assignments` names. */
export function assigned(values: Values): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(attributes(values)).map(([name, value]) => [`:${name}`, value]))
}
