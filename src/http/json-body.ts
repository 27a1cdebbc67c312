import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { Problem } from '../problem.ts'

/** Several times what our longest body needs. */
const MAX_BODY_BYTES = 4096
const JSON_TYPE = /^application\/json\s*(;|$)/i

/** Put before a route that reads a body. Throws `content_too_large`, and reads no further than the limit. */
export const limitBody: MiddlewareHandler = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new Problem('content_too_large', `The body is longer than ${MAX_BODY_BYTES} bytes.`)
  },
})

/** `undefined` for what is no UTF-8 or no JSON. */
function parseJson(bytes: ArrayBuffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes))
  } catch {
    return undefined
  }
}

/** A body that is a JSON object (RFC 8259). An absent or empty body is `{}`. Throws `invalid_request`. */
export async function readJsonBody(c: Context): Promise<object> {
  const bytes = await c.req.arrayBuffer()
  if (bytes.byteLength === 0) return {}
  if (!JSON_TYPE.test(c.req.header('Content-Type') ?? '')) {
    throw new Problem('invalid_request', 'The Content-Type must be application/json.')
  }
  const value = parseJson(bytes)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new Problem('invalid_request', 'The body is not a JSON object.')
}
