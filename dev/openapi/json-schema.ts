import { toJsonSchema } from '@valibot/to-json-schema'
import type { GenericSchema } from 'valibot'

/** JSON Schema 2020-12, the dialect of OpenAPI 3.1. */
export type JsonSchema = Record<string, unknown>

/** Converts a valibot schema to JSON Schema. Throws if the schema has no JSON Schema equivalent. */
export const jsonSchema = (schema: GenericSchema): JsonSchema => {
  const { $schema: _, ...converted } = toJsonSchema(schema, { target: 'draft-2020-12', errorMode: 'throw' })
  return converted
}
