import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { FaultEffect, Ordered, SeenRequest } from '../support/fault-orders.ts'
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.ts'
import { brokerWorker, startWorkerGroup, type WorkerGroup } from '../support/worker-group.ts'
import { type Service, startService } from '../support/worker-harness.ts'

/*
 * Workers cancel whatever a caller who leaves has not put under `waitUntil`. A caller over a service binding shows it:
 * here it leaves before and after each call that a consent and a disconnect make.
 */

const LONG = { timeout: 20_000 }

let service: Service
let revocation: FaultyProxy
let group: WorkerGroup
let names = 0
beforeAll(async () => {
  service = await startService({ vars: { TOKEN_CACHE_SECONDS: '0' } })
  revocation = await startFaultyProxy(service.intuit.url, {
    read: () => ({ operation: 'revoke', body: undefined }),
    contentType: 'text/html',
  })
  const INTUIT_REVOCATION_ENDPOINT = `${revocation.url}/v2/oauth2/tokens/revoke`
  group = await startWorkerGroup(await brokerWorker({ ...service.vars, INTUIT_REVOCATION_ENDPOINT }))
})
afterAll(async () => {
  await group.close()
  await revocation.close()
  await service.close()
})
beforeEach(async () => {
  for (const proxy of [service.dynamo, service.tokenEndpoint, revocation]) proxy.heal()
  await service.intuit.reset()
})

const fresh = () => ({ key: `company-${++names}`, realmId: String(5_000 + names) })
const record = async (key: string) => (await service.dynamo.item(`connection#${key}`)) ?? {}
const parseState = async (path: string) => {
  const nonce = new URL(path, service.url).searchParams.get('state')?.split(':')[1]
  return (await service.dynamo.item(`state#${nonce}`)) ?? {}
}
const alive = async (realmId: string) =>
  (await service.intuit.state()).grants.filter((grant) => grant.realmId === realmId && grant.alive).length
const logged = (key: string) =>
  group.logs
    .filter((line) => line.includes(`"company_key":"${key}"`))
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))

/** The call that a moment is about, by what its body names. */
interface Call {
  operation?: string
  names: string
}
type Hold = (effect: Extract<FaultEffect, { until: unknown }>) => Ordered
const inTable =
  ({ operation, names: named }: Call): Hold =>
  (effect) =>
    service.dynamo.fault({
      ...{ ...effect, times: 1 },
      ...(operation === undefined ? {} : { operation }),
      when: ({ body }: SeenRequest) => JSON.stringify(body).includes(named),
    })
const atTokenEndpoint: Hold = (effect) => {
  const { struck, strikes, lift } = service.tokenEndpoint.fault({ ...effect, times: 1 })
  return { struck, strikes, lift }
}
const atRevocation: Hold = (effect) => revocation.fault({ ...effect, times: 1 })

/** Asks through the binding, and leaves once the call of the moment is under way; then lets that call go on. */
const leaveAt = async (hold: Hold, kind: 'hold' | 'hold after', path: string, method = 'GET') => {
  const released = Promise.withResolvers<void>()
  const order = hold({ kind, until: released.promise })
  const caller = group.startLeaving(path, { method, headers: { 'X-API-Key': service.apiKey } })
  await order.strikes
  caller.leave()
  expect(await caller.outcome).toBe('left')
  return released.resolve
}

const MOMENTS = ['hold', 'hold after'] as const
const CONSENT_CALLS: [string, Hold][] = [
  ['the claim of the state', inTable({ names: 'claimed_by = :me, ' })],
  ['the read of the record', inTable({ operation: 'GetItem', names: 'connection#' })],
  ['the read of the realm', inTable({ operation: 'GetItem', names: 'realm#' })],
  ['the exchange of the code', atTokenEndpoint],
  ['the write of the pair', inTable({ names: ':realm_number' })],
  ['the note of the realm', inTable({ operation: 'PutItem', names: 'realm#' })],
  ['the write of the outcome', inTable({ names: ':outcome' })],
]
const DISCONNECT_CALLS: [string, Hold][] = [
  ['the read of the record', inTable({ operation: 'GetItem', names: 'connection#' })],
  ['the erasure', inTable({ names: ':disconnected_at' })],
  ['the revocation', atRevocation],
  ['the write of its outcome', inTable({ names: ':revocation, ' })],
]
const each = (calls: [string, Hold][]) =>
  calls.flatMap(([what, hold]) =>
    MOMENTS.map((kind) => [kind === 'hold' ? 'before' : 'after', what, hold, kind] as const),
  )

describe('a consent whose caller leaves', () => {
  it.each(each(CONSENT_CALLS))('%s %s is stored, and its outcome recorded and logged', async (_, what, hold, kind) => {
    const { key, realmId } = fresh()
    const path = await service.consented(key, { companyName: 'Beach Blend', realmId })
    // The response goes out before the outcome is written: nobody can leave any more.
    const isAnswered = what === 'the write of the outcome'
    if (isAnswered) {
      const released = Promise.withResolvers<void>()
      const order = hold({ kind, until: released.promise })
      expect((await group.fetch(path)).status).toBe(200)
      await order.strikes
      released.resolve()
    } else (await leaveAt(hold, kind, path))()
    await expect.poll(() => parseState(path), LONG).toMatchObject({ outcome: { S: 'connected' } })
    expect(await record(key)).toMatchObject({ realm_id: { S: realmId }, generation: { N: '1' } })
    expect((await service.api(`/api/token/${key}/refresh`, { method: 'POST' })).status).toBe(200)
    const events = () => logged(key).filter(({ event }) => event === 'consent_completed')
    await expect.poll(events, LONG).toEqual([expect.objectContaining({ intuit_tid: expect.stringMatching(/^1-/) })])
  })

  it('has its failure recorded and logged: the owner’s refusal, and Intuit’s', async () => {
    const denied = fresh()
    const consented = await service.consented(denied.key)
    const denial = consented.replace(/code=[^&]+/, 'error=access_denied')
    ;(await leaveAt(CONSENT_CALLS[0]?.[1] ?? atTokenEndpoint, 'hold', denial))()
    await expect.poll(() => parseState(denial), LONG).toMatchObject({ outcome: { S: 'authorization_denied' } })

    const refused = fresh()
    const path = (await service.consented(refused.key)).replace(/code=[^&]+/, 'code=unknown')
    ;(await leaveAt(atTokenEndpoint, 'hold after', path))()
    await expect.poll(() => parseState(path), LONG).toMatchObject({ outcome: { S: 'token_exchange_failed' } })
    for (const [key, code] of [
      [denied.key, 'authorization_denied'],
      [refused.key, 'token_exchange_failed'],
    ] as const) {
      await expect
        .poll(() => logged(key), LONG)
        .toContainEqual(expect.objectContaining({ event: 'consent_failed', code }))
    }
  })

  it('keeps its pair where the table fails at first', async () => {
    const { key, realmId } = fresh()
    const path = await service.consented(key, { realmId })
    service.dynamo.fault({
      ...{ kind: 'error', operation: 'UpdateItem', status: 500, type: 'InternalServerError', times: 5 },
      when: ({ body }) => JSON.stringify(body).includes(':realm_number'),
    })
    ;(await leaveAt(atTokenEndpoint, 'hold after', path))()
    await expect.poll(() => parseState(path), LONG).toMatchObject({ outcome: { S: 'connected' } })
    expect(await record(key)).toMatchObject({ generation: { N: '1' } })
  })

  it('shows its outcome to a person who opens the URL again, once it is known', async () => {
    const { key } = fresh()
    const path = await service.consented(key, { companyName: 'Beach Blend' })
    const release = await leaveAt(atTokenEndpoint, 'hold', path)
    const seen = service.dynamo.requests.length
    const again = service.fetch(path)
    // It has looked for the outcome, and found none.
    const looks = () =>
      service.dynamo.requests.slice(seen).filter(({ body }) => JSON.stringify(body).includes('"state#')).length
    await expect.poll(looks, LONG).toBeGreaterThan(2)
    release()
    const answer = await again
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      ...{ code: 'invalid_state', detail: expect.stringContaining('Beach Blend was connected by this link') },
    })
    expect((await service.intuit.state()).counts.exchange).toBe(1)
  })
})

describe('a disconnect whose caller leaves', () => {
  it.each(each(DISCONNECT_CALLS))('%s %s erases and revokes, and is recorded and logged', async (_, __, hold, kind) => {
    const { key, realmId } = fresh()
    await service.connect(key, { realmId })
    ;(await leaveAt(hold, kind, `/api/connections/${key}`, 'DELETE'))()
    await expect.poll(() => record(key), LONG).toMatchObject({ revocation: { S: 'confirmed' } })
    const after = await record(key)
    for (const name of ['access_token', 'refresh_token', 'revocation_token']) expect(after).not.toHaveProperty(name)
    expect(await alive(realmId)).toBe(0)
    const events = () => logged(key).filter(({ event }) => event === 'disconnected')
    await expect.poll(events, LONG).toEqual([expect.objectContaining({ revocation: 'confirmed' })])
  })

  it('is finished by the next one where its Worker ended, too', async () => {
    const { key, realmId } = fresh()
    await service.connect(key, { realmId })
    const released = Promise.withResolvers<void>()
    const order = service.dynamo.fault({
      ...{ kind: 'hold after', operation: 'UpdateItem', until: released.promise, times: 1 },
      when: ({ body }) => JSON.stringify(body).includes(':disconnected_at'),
    })
    const leaving = service.api(`/api/connections/${key}`, { method: 'DELETE' }).catch(() => undefined)
    await order.strikes
    await expect.poll(() => record(key), LONG).toMatchObject({ revocation: { S: 'pending' } })
    await service.replace(0)
    await leaving
    released.resolve()
    expect(await alive(realmId)).toBe(1)
    const next = await service.api(`/api/connections/${key}`, { method: 'DELETE' })
    expect(await next.json()).toMatchObject({ revoked: true, revocation: 'confirmed' })
    expect(await alive(realmId)).toBe(0)
  }, 60_000)
})
