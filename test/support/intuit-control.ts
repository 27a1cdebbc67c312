import * as v from 'valibot'
import type { FaultOrder } from '../../dev/intuit/faults.ts'
import type { Knobs } from '../../dev/intuit/knobs.ts'

const STATE = v.object({
  counts: v.object({ authorize: v.number(), exchange: v.number(), refresh: v.number(), revoke: v.number() }),
  tokenUses: v.array(
    v.object({ grantType: v.string(), tokenHash: v.string(), outcome: v.string(), realmId: v.optional(v.string()) }),
  ),
  grants: v.array(
    v.object({
      realmId: v.string(),
      alive: v.boolean(),
      refreshTokenHash: v.string(),
      accessTokenHashes: v.array(v.string()),
    }),
  ),
})

type FaultInput = Pick<FaultOrder, 'endpoint'> & { times?: number; fault: { kind: string; [detail: string]: unknown } }

/** A client of the stand-in's control API. Rejects if the stand-in responds with an error. */
export const createIntuitControl = (url: string) => {
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${url}/_control${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`The stand-in answered ${answer.status}: ${await answer.text()}`)
    return answer
  }
  return {
    url,
    /** The whole state, or the part of one company. */
    state: async (realmId?: string) =>
      v.parse(STATE, await (await call('GET', realmId === undefined ? '' : `?realm_id=${realmId}`)).json()),
    turn: (knobs: Partial<Knobs>) => call('PATCH', '/knobs', knobs),
    fault: (order: FaultInput) => call('POST', '/faults', order),
    heal: () => call('DELETE', '/faults'),
    advance: (advanceSeconds: number) => call('POST', '/clock', { advanceSeconds }),
    kill: (realmId: string) => call('POST', '/kill', { realmId }),
    reset: () => call('POST', '/reset'),
  }
}
