import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import * as v from 'valibot'
import { FAULT_ORDER, type FaultQueue } from './faults.ts'
import { killGrants, listGrants } from './grants.ts'
import type { Issuer } from './issuer.ts'
import { KNOBS, type Knobs } from './knobs.ts'
import type { TokenUse } from './token-endpoint.ts'

/** Requests to each endpoint since the start or the last reset. */
export interface Counts {
  authorize: number
  exchange: number
  refresh: number
  revoke: number
}

interface ControlDeps {
  issuer: Issuer
  faults: FaultQueue
  counts(): Counts
  tokenUses(): TokenUse[]
  setKnobs(knobs: Partial<Knobs>): void
  reset(): void
}

const KNOB_CHANGES = v.strictObject(v.partial(KNOBS).entries)
const ADVANCE = v.object({ advanceSeconds: v.number() })
const KILL = v.object({ realmId: v.string() })

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

/** The state for tests, of one company or of all. Tokens are shown as their SHA-256. */
const toStateBody = ({ issuer, counts, tokenUses }: ControlDeps, realmId: string | undefined) => {
  const isRequested = (one: { realmId: string | undefined }) => realmId === undefined || one.realmId === realmId
  const grants = listGrants(issuer)
    .filter(isRequested)
    .map((grant) => ({
      realmId: grant.realmId,
      alive: grant.alive,
      refreshTokenHash: hash(grant.refreshToken),
      accessTokenHashes: grant.accessTokens.map(({ value }) => hash(value)),
    }))
  return { knobs: issuer.knobs(), counts: counts(), tokenUses: tokenUses().filter(isRequested), grants }
}

/** Routes for tests, which read and change the stand-in. `realm_id` restricts a read to one company. */
export const createControlRoutes = (deps: ControlDeps) => {
  const { issuer, faults } = deps
  const app = new Hono()
  app.onError((error, c) =>
    v.isValiError(error) ? c.json({ error: error.message }, 400) : c.json({ error: 'malformed' }, 400),
  )
  return app
    .get('/', (c) => c.json(toStateBody(deps, c.req.query('realm_id'))))
    .patch('/knobs', async (c) => {
      const changes = v.parse(KNOB_CHANGES, await c.req.json())
      // Drops members that valibot adds as `undefined`, so that absent knobs keep their values.
      deps.setKnobs(JSON.parse(JSON.stringify(changes)))
      return c.json(issuer.knobs())
    })
    .post('/faults', async (c) => {
      faults.add(v.parse(FAULT_ORDER, await c.req.json()))
      return c.body(null, 204)
    })
    .delete('/faults', (c) => {
      faults.clear()
      return c.body(null, 204)
    })
    .post('/clock', async (c) => {
      issuer.state.clockOffsetSeconds += v.parse(ADVANCE, await c.req.json()).advanceSeconds
      return c.body(null, 204)
    })
    .post('/kill', async (c) => {
      killGrants(issuer, v.parse(KILL, await c.req.json()).realmId)
      return c.body(null, 204)
    })
    .post('/reset', (c) => {
      deps.reset()
      return c.body(null, 204)
    })
}
