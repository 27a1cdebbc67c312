import type { ProblemCode } from '../../src/problem.ts'
import type { HeaderName } from './headers.ts'
import type { JsonSchema } from './json-schema.ts'
import type { PARAMETERS } from './parameters.ts'
import type { SCHEMAS } from './schemas.ts'

export type SchemaName = keyof typeof SCHEMAS

export interface Example {
  summary: string
  value: unknown
}

export interface Content {
  schema: JsonSchema
  example?: unknown
  /** Of problems, by code, references to `components.examples`; of one of several answers, by the names of their schemas. */
  examples?: Record<string, { $ref: string } | Example>
}

/** An answer that is no problem. */
export interface Answer {
  description: string
  /** Besides those of every answer. */
  headers: HeaderName[]
  content?: Record<string, Content>
}

/** A method of a path, as the API reference tells it. */
export interface Operation {
  path: string
  method: 'get' | 'post' | 'delete'
  id: string
  tag: string
  summary: string
  description: string
  parameters: (keyof typeof PARAMETERS)[]
  requestBody?: { description: string; content: Record<string, Content> }
  /** By status. */
  answers: Record<string, Answer>
  /** Every problem that it may answer; `method_not_allowed` is that of the path's other methods. */
  problems: ProblemCode[]
  /** Whether no API key is asked for. */
  open?: true
  /** Whether a key in the header is not asked for, but heard. */
  keyIsOptional?: true
}

/** A component schema by reference. */
export const toSchemaRef = (name: SchemaName): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

/** An answer of JSON by a component schema. */
export const json = (description: string, name: SchemaName, example: unknown, headers: HeaderName[] = []): Answer => ({
  description,
  headers,
  content: { 'application/json': { schema: toSchemaRef(name), example } },
})

/** An answer of JSON by one of several component schemas. */
export const oneOf = (
  description: string,
  names: SchemaName[],
  examples: Partial<Record<SchemaName, Example>>,
): Answer => ({
  description,
  headers: [],
  content: { 'application/json': { schema: { oneOf: names.map(toSchemaRef) }, examples } },
})

/** A page for a person. */
export const HTML: Record<string, Content> = { 'text/html': { schema: { type: 'string' } } }

/** What every route under `/api` may answer before it does anything. */
export const BEFORE_ANYTHING: ProblemCode[] = [
  'invalid_request',
  'invalid_api_key',
  'forbidden',
  'method_not_allowed',
  'rate_limited',
  'configuration_error',
]

/** What every route may answer that asks the table. */
export const OF_THE_TABLE: ProblemCode[] = ['internal_error', 'storage_unavailable']
