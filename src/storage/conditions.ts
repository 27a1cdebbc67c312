import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { attribute } from './attribute-values.ts'

/*
 * A record may be written by hand. Its reader (`attributes.ts`) takes an absent attribute, NULL, an empty string and a
 * value of another type for the same thing: nothing. DynamoDB's `attribute_not_exists` and `=` do not. The conditions
 * of this service are made here, so that a write judges a record exactly as the read before it did.
 */

/** A part of a condition expression, with the values that it names. DynamoDB refuses values that no expression names. */
export interface Condition {
  expression: string
  values: Record<string, AttributeValue>
  /** What holds its parts together: AND binds closer than OR. Absent: it is a single comparison. */
  operator?: 'AND' | 'OR'
}

function condition(expression: string, values: Record<string, AttributeValue> = {}): Condition {
  return { expression, values }
}

/** With as few parentheses as there can be: DynamoDB refuses redundant ones. */
function join(parts: readonly Condition[], operator: 'AND' | 'OR'): Condition {
  const [only, ...others] = parts
  if (only && others.length === 0) return only
  const isLooser = (part: Condition) => operator === 'AND' && part.operator === 'OR'
  return {
    expression: parts.map((part) => (isLooser(part) ? `(${part.expression})` : part.expression)).join(` ${operator} `),
    values: Object.assign({}, ...parts.map(({ values }) => values)),
    operator,
  }
}

export function all(...parts: Condition[]): Condition {
  return join(parts, 'AND')
}

export function any(...parts: Condition[]): Condition {
  return join(parts, 'OR')
}

/** Of a single comparison. */
export function not({ expression, values }: Condition): Condition {
  return condition(`NOT ${expression}`, values)
}

export function recordExists(): Condition {
  return condition('attribute_exists(pk)')
}

/** Not there at all. `isNoText` and its like are what the reader takes for nothing. */
export function absent(name: string): Condition {
  return condition(`attribute_not_exists(${name})`)
}

/** What `text` reads: a string that is not empty. A value of another type compares with no string. */
export function isText(name: string): Condition {
  return condition(`${name} > :empty`, { ':empty': { S: '' } })
}

/** What `integer` reads: a number that JavaScript can hold exactly. */
export function isNumber(name: string): Condition {
  return condition(`${name} BETWEEN :least AND :most`, {
    ':least': attribute(Number.MIN_SAFE_INTEGER),
    ':most': attribute(Number.MAX_SAFE_INTEGER),
  })
}

/** What `digits` reads: a number of any length. */
function isDigits(name: string): Condition {
  return condition(`attribute_type(${name}, :type_number)`, { ':type_number': { S: 'N' } })
}

export function isNoText(name: string): Condition {
  return not(isText(name))
}

export function isNoNumber(name: string): Condition {
  return not(isNumber(name))
}

export function isNoDigits(name: string): Condition {
  return not(isDigits(name))
}

/** A flag that is set to the value, or no flag at all. */
export function isFlagOrNone(name: string, value: boolean): Condition {
  return condition(`${name} <> :other_${name}`, { [`:other_${name}`]: attribute(!value) })
}

/** `placeholder` may be one that the update expression names too. */
export function equals(name: string, value: AttributeValue, placeholder: string): Condition {
  return condition(`${name} = ${placeholder}`, { [placeholder]: value })
}

export function isBelow(name: string, value: number, placeholder: string): Condition {
  return condition(`${name} < ${placeholder}`, { [placeholder]: attribute(value) })
}

export function isAbove(name: string, value: number, placeholder: string): Condition {
  return condition(`${name} > ${placeholder}`, { [placeholder]: attribute(value) })
}

/** The text as it was read, or none where none was read. */
export function isSameText(name: string, read: string | undefined): Condition {
  return read === undefined ? isNoText(name) : equals(name, attribute(read), `:was_${name}`)
}

/** The whole number as it was read: of a number with a fraction the reader takes the whole part. */
export function isSameInteger(name: string, read: number): Condition {
  const whole = all(
    condition(`${name} >= :was_${name}`, { [`:was_${name}`]: attribute(read) }),
    isBelow(name, read + 1, `:above_${name}`),
  )
  return read === 0 ? any(isNoNumber(name), whole) : whole
}
