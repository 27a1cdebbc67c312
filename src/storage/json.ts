import * as v from 'valibot'

/** A string attribute that holds JSON. `undefined` where it is absent, no JSON, or of another form. */
export function fromJson<Schema extends v.GenericSchema>(
  schema: Schema,
  json: string | undefined,
): v.InferOutput<Schema> | undefined {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), json)
  return result.success ? result.output : undefined
}
