import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import * as v from 'valibot'
import { FAULT_ORDER, type FaultQueue } from './faults.ts'
import { KNOBS, type Knobs } from './knobs.ts'
import type { Ledger } from './ledger.ts'
import type { Presentation } from './token.ts'

export interface Counts {
  authorize: number
  exchange: number
  refresh: number
  revoke: number
}

interface ControlParts {
  ledger: Ledger
  faults: FaultQueue
  knobs(): Knobs
  turn(knobs: Partial<Knobs>): void
  counts(): Counts
  presentations(): Presentation[]
  advance(seconds: number): void
  reset(): void
}

const TURN = v.strictObject(v.partial(KNOBS).entries)
const ADVANCE = v.object({ advanceSeconds: v.number() })
const KILL = v.object({ realmId: v.string() })

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

/** What tests see and turn, of one company where `realm_id` is given. Tokens are shown by their SHA-256 alone. */
export const controlRoutes = (parts: ControlParts) => {
  const app = new Hono()
  app.onError((error, c) =>
    v.isValiError(error) ? c.json({ error: error.message }, 400) : c.json({ error: 'malformed' }, 400),
  )
  return app
    .get('/', (c) => {
      const realmId = c.req.query('realm_id')
      const isAsked = (one: { realmId: string | undefined }) => realmId === undefined || one.realmId === realmId
      const asked = parts.ledger.grants().filter(isAsked)
      const grants = asked.map((grant) => ({
        realmId: grant.realmId,
        alive: grant.alive,
        refreshTokenHash: hash(grant.refreshToken),
        accessTokenHashes: grant.accessTokens.map(({ value }) => hash(value)),
      }))
      const presentations = parts.presentations().filter(isAsked)
      return c.json({ knobs: parts.knobs(), counts: parts.counts(), presentations, grants })
    })
    .patch('/knobs', async (c) => {
      // An absent knob stays as it is; valibot tells an absent entry from one that is undefined.
      const turned = v.parse(TURN, await c.req.json())
      parts.turn(JSON.parse(JSON.stringify(turned)))
      return c.json(parts.knobs())
    })
    .post('/faults', async (c) => {
      parts.faults.add(v.parse(FAULT_ORDER, await c.req.json()))
      return c.body(null, 204)
    })
    .delete('/faults', (c) => {
      parts.faults.clear()
      return c.body(null, 204)
    })
    .post('/clock', async (c) => {
      parts.advance(v.parse(ADVANCE, await c.req.json()).advanceSeconds)
      return c.body(null, 204)
    })
    .post('/kill', async (c) => {
      parts.ledger.kill(v.parse(KILL, await c.req.json()).realmId)
      return c.body(null, 204)
    })
    .post('/reset', (c) => {
      parts.reset()
      return c.body(null, 204)
    })
}
