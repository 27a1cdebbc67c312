import type { Context } from 'hono'
import { Problem } from '../problem.ts'

/** What our longest body needs, several times over. */
const MAX_BODY_BYTES = 4096
const JSON_TYPE = /^application\/json\s*(;|$)/i

function invalid(detail: string) {
  return new Problem('invalid_request', detail)
}

/** The body, read no further than it may be long. */
async function boundedBytes(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const bytes = new Uint8Array(MAX_BODY_BYTES)
  let length = 0
  for await (const chunk of body) {
    if (length + chunk.byteLength > MAX_BODY_BYTES) throw invalid(`The body is longer than ${MAX_BODY_BYTES} bytes.`)
    bytes.set(chunk, length)
    length += chunk.byteLength
  }
  return bytes.subarray(0, length)
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes))
  } catch {
    return undefined
  }
}

/** A body that is a JSON object (RFC 8259), of at most 4096 bytes; an absent or an empty one is `{}`. Throws `invalid_request`. */
export async function jsonBody(c: Context): Promise<object> {
  const { body } = c.req.raw
  const bytes = body ? await boundedBytes(body) : new Uint8Array()
  if (bytes.byteLength === 0) return {}
  if (!JSON_TYPE.test(c.req.header('Content-Type') ?? '')) throw invalid('The Content-Type must be application/json.')
  const value = parsedJson(bytes)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw invalid('The body is not a JSON object.')
}
