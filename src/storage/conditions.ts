import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { toAttribute } from './attribute-values.ts'

/*
 * A record may be written by hand. To the reader (`attribute-values.ts`), an absent attribute, NULL, an empty string and a
 * value of another type all mean that there is no value. DynamoDB's `attribute_not_exists` and `=` tell them apart. The
 * conditions below agree with the reader.
 */

/** A part of a condition expression and the values that it uses. DynamoDB rejects unused values. */
export interface Condition {
  expression: string
  values: Record<string, AttributeValue>
  /** The operator between the parts. Absent for a single comparison. */
  operator?: 'AND' | 'OR'
}

function createCondition(expression: string, values: Record<string, AttributeValue> = {}): Condition {
  return { expression, values }
}

/** AND binds more tightly than OR. DynamoDB rejects redundant parentheses. */
function join(parts: readonly Condition[], operator: 'AND' | 'OR'): Condition {
  const [only, ...others] = parts
  if (only && others.length === 0) return only
  const needsParentheses = (part: Condition) => operator === 'AND' && part.operator === 'OR'
  return {
    expression: parts
      .map((part) => (needsParentheses(part) ? `(${part.expression})` : part.expression))
      .join(` ${operator} `),
    values: Object.assign({}, ...parts.map(({ values }) => values)),
    operator,
  }
}

/** All conditions hold. */
/** All conditions hold. */
export function all(...parts: Condition[]): Condition {
  return join(parts, 'AND')
}

/** At least one condition holds. */
/** At least one condition holds. */
export function any(...parts: Condition[]): Condition {
  return join(parts, 'OR')
}

/** Negates a single comparison. */
export function not({ expression, values }: Condition): Condition {
  return createCondition(`NOT ${expression}`, values)
}

/** The item exists. */
/** The item exists. */
export function recordExists(): Condition {
  return createCondition('attribute_exists(pk)')
}

/** The attribute does not exist. Use `isNoText`, `isNoNumber` or `isNoDigits` for values that the reader ignores. */
export function isAbsent(name: string): Condition {
  return createCondition(`attribute_not_exists(${name})`)
}

/** `readText` finds a value: a string that is not empty. A comparison with a value of another type is false. */
export function isText(name: string): Condition {
  return createCondition(`${name} > :empty`, { ':empty': { S: '' } })
}

/** `readInteger` finds a value: a number that JavaScript represents exactly. */
export function isNumber(name: string): Condition {
  return createCondition(`${name} BETWEEN :least AND :most`, {
    ':least': toAttribute(Number.MIN_SAFE_INTEGER),
    ':most': toAttribute(Number.MAX_SAFE_INTEGER),
  })
}

/** `readDigits` finds a value: a number of any length. */
function isDigits(name: string): Condition {
  return createCondition(`attribute_type(${name}, :type_number)`, { ':type_number': { S: 'N' } })
}

/** `readText` finds no value. */
/** `readText` finds no value. */
export function isNoText(name: string): Condition {
  return not(isText(name))
}

/** `readInteger` finds no value. */
/** `readInteger` finds no value. */
export function isNoNumber(name: string): Condition {
  return not(isNumber(name))
}

/** `readDigits` finds no value. */
/** `readDigits` finds no value. */
export function isNoDigits(name: string): Condition {
  return not(isDigits(name))
}

/** The flag has this value or is absent. */
export function isFlagOrNone(name: string, value: boolean): Condition {
  return createCondition(`${name} <> :other_${name}`, { [`:other_${name}`]: toAttribute(!value) })
}

/** The attribute has this value. The update expression may use the same `placeholder`. */
export function equals(name: string, value: AttributeValue, placeholder: string): Condition {
  return createCondition(`${name} = ${placeholder}`, { [placeholder]: value })
}

/** The number is less than `value`. */
/** The number is less than `value`. */
export function isBelow(name: string, value: number, placeholder: string): Condition {
  return createCondition(`${name} < ${placeholder}`, { [placeholder]: toAttribute(value) })
}

/** The number is greater than `value`. */
/** The number is greater than `value`. */
export function isAbove(name: string, value: number, placeholder: string): Condition {
  return createCondition(`${name} > ${placeholder}`, { [placeholder]: toAttribute(value) })
}

/** The text has not changed since it was read. `read` is `undefined` if there was none. */
export function isSameText(name: string, read: string | undefined): Condition {
  return read === undefined ? isNoText(name) : equals(name, toAttribute(read), `:was_${name}`)
}

/** The number has not changed since it was read. `readInteger` drops the fraction, so a range is compared. */
export function isSameInteger(name: string, read: number): Condition {
  const whole = all(
    createCondition(`${name} >= :was_${name}`, { [`:was_${name}`]: toAttribute(read) }),
    isBelow(name, read + 1, `:above_${name}`),
  )
  return read === 0 ? any(isNoNumber(name), whole) : whole
}
