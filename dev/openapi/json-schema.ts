import { toJsonSchema } from '@valibot/to-json-schema'
import type { GenericSchema } from 'valibot'

/** JSON Schema 2020-12, the dialect of OpenAPI 3.1. */
export type JsonSchema = Record<string, unknown>

/** A valibot schema in the dialect of OpenAPI 3.1. Throws where it has no equivalent there. */
export const jsonSchema = (schema: GenericSchema): JsonSchema => {
  const { $schema: _, ...converted } = toJsonSchema(schema, { target: 'draft-2020-12', errorMode: 'throw' })
  return converted
}
