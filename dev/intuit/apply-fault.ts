import { setTimeout } from 'node:timers/promises'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Fault } from './faults.ts'

/** Hono's environment on Node: faults need the socket of a request. */
export type Env = { Bindings: HttpBindings }

const never = () => new Promise<never>(() => undefined)

/** Changes the members of a response. A response without a JSON object is unchanged. */
const reshape = async (response: Response, { set, omit }: Extract<Fault, { kind: 'reshape' }>): Promise<Response> => {
  const body: unknown = await response.json().catch(() => undefined)
  if (typeof body !== 'object') return response
  const members = Object.entries({ ...body, ...set }).filter(([name]) => !omit.includes(name))
  return Response.json(Object.fromEntries(members), { status: response.status })
}

/** Runs a route with a fault. After a reset or during a hang there is no response, so the promise never settles. */
export const applyFault = async (
  c: Context<Env>,
  fault: Fault | undefined,
  respond: () => Promise<Response>,
): Promise<Response> => {
  switch (fault?.kind) {
    case undefined:
      return respond()
    case 'status':
      return new Response(fault.body, {
        status: fault.status,
        headers: { 'Content-Type': fault.contentType, ...fault.headers },
      })
    case 'invalid_grant_outage':
      return c.json({ error: 'invalid_grant' }, 400)
    case 'delay':
      await setTimeout(fault.ms)
      return respond()
    case 'reshape':
      return reshape(await respond(), fault)
    case 'huge':
      return c.body('['.repeat(fault.bytes), 200, { 'Content-Type': 'application/json' })
    case 'reset_after':
      await respond()
      c.env.incoming.socket.destroy()
      return never()
    case 'reset_before':
      c.env.incoming.socket.destroy()
      return never()
    case 'hang':
      return never()
  }
}
