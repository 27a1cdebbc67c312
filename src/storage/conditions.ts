import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { attribute } from './attribute-values.ts'

/*
 * A record may be written by hand. To the reader (`attribute-values.ts`), an absent attribute, NULL, an empty string and a
 * value of another type all mean that there is no value. DynamoDB's `attribute_not_exists` and `=` tell them apart. The
 * conditions below agree with the reader.
 */

/** A part of a condition expression, with the values that it names. DynamoDB refuses values that no expression names. */
export interface Condition {
  expression: string
  values: Record<string, AttributeValue>
  /** Joins the parts: AND binds more tightly than OR. Absent for a single comparison. */
  operator?: 'AND' | 'OR'
}

function condition(expression: string, values: Record<string, AttributeValue> = {}): Condition {
  return { expression, values }
}

/** DynamoDB refuses redundant parentheses. */
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

/** The attribute does not exist. For a value that the reader ignores, use `isNoText`, `isNoNumber` or `isNoDigits`. */
export function absent(name: string): Condition {
  return condition(`attribute_not_exists(${name})`)
}

/** `text` reads a value: a string that is not empty. DynamoDB never compares a value of another type with a string. */
export function isText(name: string): Condition {
  return condition(`${name} > :empty`, { ':empty': { S: '' } })
}

/** `integer` reads a value: a number that JavaScript can hold exactly. */
export function isNumber(name: string): Condition {
  return condition(`${name} BETWEEN :least AND :most`, {
    ':least': attribute(Number.MIN_SAFE_INTEGER),
    ':most': attribute(Number.MAX_SAFE_INTEGER),
  })
}

/** `digits` reads a value: a number of any length. */
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

/** The flag has this value, or does not exist. */
export function isFlagOrNone(name: string, value: boolean): Condition {
  return condition(`${name} <> :other_${name}`, { [`:other_${name}`]: attribute(!value) })
}

/** The update expression may use the same `placeholder`. */
export function equals(name: string, value: AttributeValue, placeholder: string): Condition {
  return condition(`${name} = ${placeholder}`, { [placeholder]: value })
}

export function isBelow(name: string, value: number, placeholder: string): Condition {
  return condition(`${name} < ${placeholder}`, { [placeholder]: attribute(value) })
}

export function isAbove(name: string, value: number, placeholder: string): Condition {
  return condition(`${name} > ${placeholder}`, { [placeholder]: attribute(value) })
}

/** The text is still the one that was read; `undefined` if there was none. */
export function isSameText(name: string, read: string | undefined): Condition {
  return read === undefined ? isNoText(name) : equals(name, attribute(read), `:was_${name}`)
}

/** The number is still the one that was read. The reader drops a fraction. */
export function isSameInteger(name: string, read: number): Condition {
  const whole = all(
    condition(`${name} >= :was_${name}`, { [`:was_${name}`]: attribute(read) }),
    isBelow(name, read + 1, `:above_${name}`),
  )
  return read === 0 ? any(isNoNumber(name), whole) : whole
}
