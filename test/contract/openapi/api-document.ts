import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as v from 'valibot'
import { fromRoot } from '../../../dev/bundle.ts'
import { HEADERS_ON_EVERY_RESPONSE } from '../../../dev/openapi/headers.ts'

const HEADER = v.object({
  required: v.optional(v.boolean(), false),
  schema: v.object({ pattern: v.optional(v.string()) }),
})
const SCHEMA = v.looseObject({ oneOf: v.optional(v.array(v.object({ $ref: v.string() })), []) })
const CONTENT = v.object({
  schema: v.record(v.string(), v.unknown()),
  examples: v.optional(v.record(v.string(), v.unknown()), {}),
})
const RESPONSE = v.object({
  headers: v.record(v.string(), v.object({ $ref: v.string() })),
  content: v.optional(v.record(v.string(), CONTENT), {}),
})
const DOCUMENT = v.object({
  paths: v.record(
    v.string(),
    v.record(v.string(), v.object({ operationId: v.string(), responses: v.record(v.string(), RESPONSE) })),
  ),
  components: v.object({
    headers: v.record(v.string(), HEADER),
    schemas: v.record(v.string(), v.record(v.string(), v.unknown())),
  }),
})

/** Headers of the transport, which the document does not describe. */
const TRANSPORT_HEADERS = [
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
]

/** Forbids further properties. The published schemas allow them, for later versions. */
const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]))
  return inner['type'] === 'object' ? { ...inner, additionalProperties: false } : inner
}

/** Moves shared schemas to `$defs`, where a standalone schema finds them. */
const readDocument = () =>
  v.parse(
    DOCUMENT,
    JSON.parse(readFileSync(fromRoot('public/openapi.json'), 'utf8').replaceAll('#/components/schemas/', '#/$defs/')),
  )

/** Reads `public/openapi.json` and checks responses against it. */
export const apiDocument = () => {
  const document = readDocument()
  // A schema in `allOf` may omit the type.
  const ajv = new Ajv2020({ strictTypes: false })
  const $defs = closed(document.components.schemas)

  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, responses }]) => ({
      id: operationId,
      method,
      path,
      responses,
    })),
  )
  type DocumentedOperation = (typeof operations)[number]

  const bodyFaults = (schema: Record<string, unknown>, body: unknown) => {
    const validate = ajv.compile({ ...schema, $defs })
    return validate(body) ? [] : [ajv.errorsText(validate.errors)]
  }

  /** The names of the schemas in `oneOf` that a body matches. */
  const findSchemaNames = (schema: Record<string, unknown>, body: unknown) =>
    v
      .parse(SCHEMA, schema)
      .oneOf.filter((one) => bodyFaults(one, body).length === 0)
      .map(({ $ref }) => $ref.slice('#/$defs/'.length))

  const headerFaults = (answer: Response, documented: string[]) => {
    const expected = new Set([...documented, ...HEADERS_ON_EVERY_RESPONSE].map((name) => name.toLowerCase()))
    const unknown = [...answer.headers.keys()].filter(
      (name) => !expected.has(name) && !TRANSPORT_HEADERS.includes(name),
    )
    const missing = HEADERS_ON_EVERY_RESPONSE.filter((name) => !answer.headers.has(name))
    const wrong = documented.filter((name) => {
      const header = document.components.headers[name]
      const value = answer.headers.get(name)
      return value === null ? header?.required : !new RegExp(header?.schema.pattern ?? '').test(value)
    })
    return [
      ...unknown.map((name) => `has the undocumented header ${name}`),
      ...missing.map((name) => `lacks ${name}`),
      ...wrong.map((name) => `lacks, or has another, ${name}`),
    ]
  }

  /** The documented features of a response: `200 application/json`, `404 connection_not_found`, `429 Retry-After`. */
  const features = (status: string, answer: Response, documented: string[], type: string, body: unknown) => [
    status,
    ...documented.filter((name) => answer.headers.has(name)).map((name) => `${status} ${name}`),
    ...(type ? [`${status} ${type}`] : []),
    ...(typeof body === 'object' && body !== null && 'code' in body ? [`${status} ${String(body.code)}`] : []),
  ]

  return {
    operations,

    /** All documented features of an operation. */
    documentedFeatures: ({ responses }: DocumentedOperation) =>
      Object.entries(responses).flatMap(([status, { headers, content }]) => [
        status,
        ...Object.keys(headers).map((name) => `${status} ${name}`),
        ...Object.entries(content).flatMap(([type, { examples }]) => [
          `${status} ${type}`,
          ...Object.keys(examples).map((code) => `${status} ${code}`),
        ]),
      ]),

    /** The features of a response, and its differences from the document. */
    checkResponse: async (operation: DocumentedOperation, answer: Response) => {
      const status = String(answer.status)
      const response = operation.responses[status]
      if (!response) return { shown: [], faults: [`${status} is not documented: ${await answer.text()}`] }
      const text = await answer.text()
      const type = (answer.headers.get('Content-Type') ?? '').split(';')[0] ?? ''
      const body: unknown = type.endsWith('json') ? JSON.parse(text) : text
      const documented = Object.keys(response.headers)
      const content = response.content[type]
      const ofBody = content ? bodyFaults(content.schema, body) : text ? [`the body of ${type} is not documented`] : []
      const faults = [...headerFaults(answer, documented), ...ofBody].map((fault) => `${status}: ${fault}`)
      const kinds = content ? findSchemaNames(content.schema, body).map((kind) => `${status} ${kind}`) : []
      return { shown: [...features(status, answer, documented, type, body), ...kinds], faults }
    },
  }
}

export type ApiDocument = ReturnType<typeof apiDocument>
export type DocumentedOperation = ApiDocument['operations'][number]
