import type { MiddlewareHandler } from 'hono'
import { Hono } from 'hono'
import { waitUntil } from '../http/request.ts'
import type { AccessVariables } from '../middleware/api-key.ts'
import type { Readiness } from '../readiness.ts'
import type { NotReadyBody, ReadyBody } from './schemas/ready.ts'

const RETRY_AFTER_SECONDS = '10'

type Access = { Variables: AccessVariables }

/** A request with an API key must have a valid one. */
function keyIfShown(requireApiKey: MiddlewareHandler<Access>): MiddlewareHandler<Access> {
  return (c, next) => (c.req.header('X-API-Key') === undefined ? next() : requireApiKey(c, next))
}

/** `GET /ready`: 200 or 503. `faults` names the problems, for callers with a valid API key only. */
export function readyRoutes(faults: Readiness, requireApiKey: MiddlewareHandler<Access>) {
  return new Hono<Access>().get('/', keyIfShown(requireApiKey), async (c) => {
    const found = await faults(waitUntil(c))
    if (found.length === 0) return c.json({ status: 'ready' } satisfies ReadyBody)
    return c.json({ status: 'not_ready', ...(c.get('apiClient') && { faults: found }) } satisfies NotReadyBody, 503, {
      'Retry-After': RETRY_AFTER_SECONDS,
    })
  })
}
