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
  /** For problems: references to `components.examples` by code. For `oneOf` responses: examples by schema name. */
  examples?: Record<string, { $ref: string } | Example>
}

/** A response that is not a problem. */
export interface Answer {
  description: string
  /** In addition to the headers of every response. */
  headers: HeaderName[]
  content?: Record<string, Content>
}

/** One method of one path, as the API document describes it. */
export interface Operation {
  path: string
  method: 'get' | 'post' | 'delete'
  id: string
  tag: string
  summary: string
  description: string
  parameters: (keyof typeof PARAMETERS)[]
  requestBody?: { description: string; content: Record<string, Content> }
  /** Responses by status. */
  answers: Record<string, Answer>
  /** Every problem that it can return. `method_not_allowed` is the response to other methods of the path. */
  problems: ProblemCode[]
  /** Set if the route needs no API key. */
  isOpen?: true
  /** Set if the route needs no API key, but checks one in the header. */
  isKeyOptional?: true
}

/** A reference to a component schema. */
export const toSchemaRef = (name: SchemaName): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

/** A JSON response with a component schema. */
export const json = (description: string, name: SchemaName, example: unknown, headers: HeaderName[] = []): Answer => ({
  description,
  headers,
  content: { 'application/json': { schema: toSchemaRef(name), example } },
})

/** A JSON response with one of several component schemas. */
export const oneOf = (
  description: string,
  names: SchemaName[],
  examples: Partial<Record<SchemaName, Example>>,
): Answer => ({
  description,
  headers: [],
  content: { 'application/json': { schema: { oneOf: names.map(toSchemaRef) }, examples } },
})

/** The content of an HTML page. */
export const HTML: Record<string, Content> = { 'text/html': { schema: { type: 'string' } } }

/** Problems that every route under `/api` can return before it does its work. */
export const API_PROBLEMS: ProblemCode[] = [
  'invalid_request',
  'invalid_api_key',
  'forbidden',
  'method_not_allowed',
  'rate_limited',
  'configuration_error',
]

/** Problems that every route that calls DynamoDB can return. */
export const STORAGE_PROBLEMS: ProblemCode[] = ['internal_error', 'storage_unavailable']
