import * as v from 'valibot'
import { isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml'

export type Parameters = Record<string, string>

const PSEUDO_PARAMETERS: Parameters = {
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '123456789012',
  'AWS::Partition': 'aws',
}
/** Stands for `!Ref AWS::NoValue`: the property or entry is removed. */
const NO_VALUE = Symbol('AWS::NoValue')

interface Names {
  parameters: Parameters
  condition: (name: string) => boolean
}

const intrinsic = (tag: string, value: unknown, { parameters, condition }: Names): unknown => {
  const [first, second, third] = Array.isArray(value) ? value : [value]
  const parameter = (name: string) => parameters[name]
  switch (tag) {
    case '!Ref':
      return value === 'AWS::NoValue' ? NO_VALUE : (parameter(String(value)) ?? { Ref: value })
    case '!Sub':
      return String(value).replace(/\$\{([\w:]+)\}/g, (whole, name: string) => parameter(name) ?? whole)
    case '!Equals':
      return first === second
    case '!Not':
      return first !== true
    case '!And':
      return Array.isArray(value) && value.every((one) => one === true)
    case '!If':
      return condition(String(first)) ? second : third
    default:
      throw new Error(`The template uses ${tag}, which this test does not know.`)
  }
}

const children = (node: Node, names: Names): unknown => {
  if (isMap<Node, Node>(node)) {
    const pairs = node.items.map(({ key, value }) => [String(key), value ? evaluated(value, names) : null] as const)
    return Object.fromEntries(pairs.filter(([, value]) => value !== NO_VALUE))
  }
  if (isSeq<Node>(node)) {
    const entries = node.items.map((item) => evaluated(item, names))
    // !If selects a branch by its position.
    return node.tag === '!If' ? entries : entries.filter((entry) => entry !== NO_VALUE)
  }
  return isScalar(node) ? node.value : undefined
}

const evaluated = (node: Node, names: Names): unknown => {
  const value = children(node, names)
  const tag = isMap(node) || isSeq(node) || isScalar(node) ? node.tag : undefined
  return tag?.startsWith('!') ? intrinsic(tag, value, names) : value
}

const TEMPLATE = v.object({
  Parameters: v.record(v.string(), v.object({ Default: v.string() })),
  Conditions: v.optional(v.record(v.string(), v.boolean()), {}),
  Rules: v.optional(
    v.record(
      v.string(),
      v.object({
        RuleCondition: v.boolean(),
        Assertions: v.array(v.object({ Assert: v.boolean(), AssertDescription: v.string() })),
      }),
    ),
    {},
  ),
  Resources: v.record(v.string(), v.unknown()),
})

/** Resolves a CloudFormation template for these parameters, in account 123456789012 and region us-east-1. */
export const resolved = (source: string, given: Parameters = {}) => {
  const root = parseDocument(source, { logLevel: 'silent' }).contents
  if (!root) throw new Error('The template is empty.')
  const read = (names: Names) => v.parse(TEMPLATE, evaluated(root, names))
  const defaults = read({ parameters: {}, condition: () => false }).Parameters
  const unknown = Object.keys(given).filter((name) => !(name in defaults))
  if (unknown.length > 0) throw new Error(`The template has no parameter ${unknown.join(', ')}.`)
  const own = Object.fromEntries(Object.entries(defaults).map(([name, { Default }]) => [name, Default]))
  const parameters = { ...PSEUDO_PARAMETERS, ...own, ...given }
  const { Conditions } = read({ parameters, condition: () => false })
  const template = read({ parameters, condition: (name) => Conditions[name] === true })
  const failedAssertions = Object.values(template.Rules)
    .filter(({ RuleCondition }) => RuleCondition)
    .flatMap(({ Assertions }) => Assertions)
    .filter(({ Assert }) => !Assert)
    .map(({ AssertDescription }) => AssertDescription)
  return { Resources: template.Resources, failedAssertions }
}
