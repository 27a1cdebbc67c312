import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { consent } from '../../dev/intuit/client.ts'
import type { Knobs } from '../../dev/intuit/knobs.ts'
import { readConfig } from '../../src/config/config.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const OPENID = { QUICKBOOKS_SCOPES: 'com.intuit.quickbooks.accounting openid' }
const WRONG: Knobs['idToken'][] = ['wrong_issuer', 'wrong_audience', 'expired', 'wrong_nonce', 'malformed']
const MISMATCH = { status: 409, code: 'realm_mismatch' }
const EXCHANGE_FAILED = { status: 502, code: 'token_exchange_failed' }
const SIGNED_LINKS = { START_LINK_KEYS: `a:${randomBytes(32).toString('base64')}` }

const problem = async (answer: Response) => ({ status: answer.status, code: (await answer.json()).code })

let names = 0
const freshKey = () => `company-${++names}`
const freshRealm = () => String(913_000_000_000_000 + ++names)
const withRealm = (path: string, realmId: string) => path.replace(/realmId=\d+/, `realmId=${realmId}`)
const withoutRealm = (path: string) => path.replace(/&realmId=\d+/, '')
const record = (at: Service, key: string) => at.dynamo.item(`connection#${key}`)

/** A callback that is refused: nothing is stored, nothing revoked, and the connection works as before. */
const expectRefused = async (at: Service, key: string, path: string, expected: typeof MISMATCH) => {
  const before = await record(at, key)
  expect(await problem(await at.fetch(path))).toEqual(expected)
  expect(await record(at, key)).toEqual(before)
  expect((await at.intuit.state()).counts.revoke).toBe(0)
}

describe('the settings of the company proof', () => {
  it('are the issuer of Intuit, and a proof where there is one', () => {
    expect(readConfig({}).companyProof()).toEqual({
      issuer: 'https://oauth.platform.intuit.com/op/v1',
      isRequired: false,
    })
  })

  it.each([
    [{ INTUIT_ISSUER: 'http://issuer.example' }, 'INTUIT_ISSUER must be an https URL'],
    [{ REALM_PROOF: 'true', ...OPENID }, 'REALM_PROOF must be when_present or required'],
    [{ REALM_PROOF: 'required' }, 'REALM_PROOF can be required only if QUICKBOOKS_SCOPES has openid'],
  ])('refuse %j', (variables, fault) => {
    expect(() => readConfig(variables).companyProof()).toThrow(fault)
  })
})

describe('a consent with openid', () => {
  let service: Service
  beforeAll(async () => {
    service = await startService({ vars: OPENID })
  })
  afterAll(() => service.close())
  beforeEach(() => service.intuit.reset())

  it('proves its company: the record has the time and a digest of the person, and the log says so', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    expect((await service.connect(key, { realmId })).status).toBe(200)
    const item = await record(service, key)
    expect(item?.['realm_id']).toEqual({ S: realmId })
    expect(Number(item?.['realm_proven_at']?.N)).toBe(Number(item?.['last_refresh_at']?.N))
    expect(item?.['consented_by']?.S).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify(item)).not.toContain(`person-of-${realmId}`)
    await expect.poll(() => service.logs()).toContain(`"event":"realm_proven","company_key":"${key}"`)
    const status = await (await service.api(`/api/connections/${key}/status`)).json()
    expect(status.realm_proven_at).toBe(Number(item?.['realm_proven_at']?.N))
  })

  it('gives two keys of one person two different digests', async () => {
    const [first, second, realmId] = [freshKey(), freshKey(), freshRealm()]
    for (const key of [first, second]) await service.connect(key, { realmId })
    const digests = await Promise.all(
      [first, second].map(async (key) => (await record(service, key))?.['consented_by']),
    )
    expect(digests[0]).not.toEqual(digests[1])
  })

  it('asks Intuit for an ID token that names the company, with a nonce of its own', async () => {
    const authorization = async () => {
      const answer = await service.fetch(`/oauth/start/${freshKey()}`)
      return new URL(answer.headers.get('Location') ?? '').searchParams
    }
    const [one, other] = [await authorization(), await authorization()]
    expect(one.get('scope')?.split(' ')).toContain('openid')
    expect(JSON.parse(one.get('claims') ?? '')).toEqual({ id_token: { realmId: null } })
    expect(one.get('nonce')?.length).toBeGreaterThanOrEqual(22)
    expect(one.get('nonce')).not.toBe(other.get('nonce'))
    expect(one.get('state')).not.toContain(one.get('nonce'))
  })

  it('does not put another company under a connected key by the realm id in the address', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    const path = withRealm(await service.consented(key, { realmId: freshRealm() }), realmId)
    await expectRefused(service, key, path, MISMATCH)
    expect((await service.api(`/api/token/${key}/refresh`, { method: 'POST' })).status).toBe(200)
    await expect.poll(() => service.logs()).toContain('"reason":"other_realm"')
  })

  it('does not put another realm id beside the tokens of a new key', async () => {
    const key = freshKey()
    const path = withRealm(await service.consented(key, { realmId: freshRealm() }), freshRealm())
    await expectRefused(service, key, path, MISMATCH)
    expect((await service.api(`/api/token/${key}`)).status).toBe(409)
  })

  it('stores the company that Intuit names where the address names none', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    const path = withoutRealm(await service.consented(key, { realmId }))
    expect((await service.fetch(path)).status).toBe(200)
    expect((await record(service, key))?.['realm_id']).toEqual({ S: realmId })
  })

  it.each(WRONG)('refuses an ID token that is %s', async (idToken) => {
    const key = freshKey()
    await service.intuit.turn({ idToken })
    await expectRefused(service, key, await service.consented(key, { realmId: freshRealm() }), EXCHANGE_FAILED)
    await expect.poll(() => service.logs()).toContain(`"event":"realm_not_proven","company_key":"${key}"`)
  })

  it('refuses an ID token of another company, under a new key and under a connected one', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    await service.intuit.turn({ idToken: 'foreign_realm' })
    await expectRefused(service, key, await service.consented(key, { realmId }), MISMATCH)
    const other = freshKey()
    await expectRefused(service, other, await service.consented(other, { realmId: freshRealm() }), MISMATCH)
  })

  it.each(['missing', 'no_realm'] as const)('takes the realm id of the address if the proof is %s', async (idToken) => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.intuit.turn({ idToken })
    expect((await service.connect(key, { realmId })).status).toBe(200)
    const item = await record(service, key)
    expect(item?.['realm_id']).toEqual({ S: realmId })
    expect(item).not.toHaveProperty('realm_proven_at')
  })

  it('is proven no longer after a consent without a proof', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    await service.intuit.turn({ idToken: 'missing' })
    await service.connect(key, { realmId })
    const item = await record(service, key)
    expect(item).not.toHaveProperty('realm_proven_at')
    expect(item).not.toHaveProperty('consented_by')
  })

  it('stays proven after refreshes, and forgets the person after a disconnect', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    const before = await record(service, key)
    await service.api(`/api/token/${key}/refresh`, { method: 'POST' })
    expect((await record(service, key))?.['realm_proven_at']).toEqual(before?.['realm_proven_at'])
    await service.api(`/api/connections/${key}`, { method: 'DELETE' })
    expect(await record(service, key)).not.toHaveProperty('consented_by')
  })

  it('does not end with the code of another consent', async () => {
    const [victim, attacker, realmId] = [freshKey(), freshKey(), freshRealm()]
    const leaked = new URL(await service.consented(victim, { realmId }), service.url).searchParams
    const own = new URL(await service.consented(attacker, { realmId: freshRealm() }), service.url)
    own.searchParams.set('code', leaked.get('code') ?? '')
    own.searchParams.set('realmId', realmId)
    await expectRefused(service, attacker, `${own.pathname}${own.search}`, EXCHANGE_FAILED)
    await expect.poll(() => service.logs()).toContain('"reason":"nonce"')
  })
})

describe('REALM_PROOF=required', () => {
  let service: Service
  beforeAll(async () => {
    service = await startService({ vars: { ...OPENID, REALM_PROOF: 'required' } })
  })
  afterAll(() => service.close())
  beforeEach(() => service.intuit.reset())

  it('takes a proven company', async () => {
    expect((await service.connect(freshKey(), { realmId: freshRealm() })).status).toBe(200)
  })

  it.each([...WRONG, 'missing', 'no_realm'] as const)('refuses an ID token that is %s', async (idToken) => {
    const key = freshKey()
    await service.intuit.turn({ idToken })
    await expectRefused(service, key, await service.consented(key, { realmId: freshRealm() }), EXCHANGE_FAILED)
  })
})

describe('a consent without openid', () => {
  let service: Service
  beforeAll(async () => {
    service = await startService({ vars: SIGNED_LINKS })
  })
  afterAll(() => service.close())
  beforeEach(() => service.intuit.reset())

  it('asks for no ID token and stores the realm id of the address', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    const started = await service.fetch(`/oauth/start/${key}`)
    const sent = new URL(started.headers.get('Location') ?? '').searchParams
    expect([sent.has('nonce'), sent.has('claims'), sent.has('code_challenge')]).toEqual([false, false, false])
    expect((await service.connect(key, { realmId })).status).toBe(200)
    const item = await record(service, key)
    expect(item?.['realm_id']).toEqual({ S: realmId })
    expect(item).not.toHaveProperty('realm_proven_at')
  })

  /** A live record as it may be written by hand: connected, to a company that nobody wrote down. */
  const connectWithoutRealm = async (key: string, empty: { NULL: true } | { S: string } | undefined) => {
    await service.connect(key, { realmId: freshRealm() })
    const { realm_id: _, ...rest } = (await record(service, key)) ?? {}
    await service.dynamo.put({ ...rest, ...(empty ? { realm_id: empty } : {}) })
  }

  it.each([
    ['absent', undefined],
    ['NULL', { NULL: true }],
    ['blank', { S: ' ' }],
  ] as const)('takes over no live record whose realm id is %s by an open start', async (_, empty) => {
    const key = freshKey()
    await connectWithoutRealm(key, empty)
    const path = await service.consented(key, { realmId: freshRealm() })
    await expectRefused(service, key, path, MISMATCH)
    await expectRefused(service, key, withoutRealm(await service.consented(key)), MISMATCH)
    expect((await service.api(`/api/token/${key}/refresh`, { method: 'POST' })).status).toBe(200)
  })

  it.each([
    ['absent', undefined],
    ['NULL', { NULL: true }],
    ['empty', { S: '' }],
  ] as const)('gives a live record whose realm id is %s its company by a signed start link', async (_, empty) => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await connectWithoutRealm(key, empty)
    const made = await service.api(`/api/connections/${key}/start-links`, { method: 'POST' })
    const link = new URL((await made.json()).url)
    const started = await service.fetch(`${link.pathname}${link.search}`)
    const back = new URL(await consent(started.headers.get('Location') ?? '', { realmId }))
    expect((await service.fetch(`${back.pathname}${back.search}`)).status).toBe(200)
    expect((await record(service, key))?.['realm_id']).toEqual({ S: realmId })
  })
})

describe('ONE_KEY_PER_REALM=true with openid', () => {
  let service: Service
  beforeAll(async () => {
    service = await startService({ vars: { ...OPENID, ONE_KEY_PER_REALM: 'true' } })
  })
  afterAll(() => service.close())
  beforeEach(() => service.intuit.reset())

  const exchanges = async () => (await service.intuit.state()).counts.exchange

  it('refuses a callback that names no company before the code is used', async () => {
    const path = withoutRealm(await service.consented(freshKey(), { realmId: freshRealm() }))
    expect(await problem(await service.fetch(path))).toEqual(MISMATCH)
    expect(await exchanges()).toBe(0)
  })

  it('is not passed by another number in the address', async () => {
    const [first, second, realmId] = [freshKey(), freshKey(), freshRealm()]
    await service.connect(first, { realmId })
    const path = await service.consented(second, { realmId })
    await expectRefused(service, second, withRealm(path, freshRealm()), MISMATCH)
  })

  it('is not passed by leading zeros', async () => {
    const [first, second, realmId] = [freshKey(), freshKey(), freshRealm()]
    await service.connect(first, { realmId })
    const path = await service.consented(second, { realmId })
    expect((await service.fetch(withRealm(path, `0${realmId}`))).status).toBe(400)
    expect(await exchanges()).toBe(1)
  })

  it('lets nobody block a company that is not theirs', async () => {
    const [attacker, owner, realmId] = [freshKey(), freshKey(), freshRealm()]
    const path = await service.consented(attacker, { realmId: freshRealm() })
    await expectRefused(service, attacker, withRealm(path, realmId), MISMATCH)
    expect((await service.connect(owner, { realmId })).status).toBe(200)
  })
})

describe('OAUTH_PKCE=true', () => {
  let service: Service
  beforeAll(async () => {
    service = await startService({ vars: { OAUTH_PKCE: 'true' } })
  })
  afterAll(() => service.close())
  beforeEach(() => service.intuit.reset())

  it('is off by default, and true or false', () => {
    const uri = { QUICKBOOKS_REDIRECT_URI: 'https://broker.example/oauth/callback' }
    expect(readConfig(uri).authorization().usesPkce).toBe(false)
    expect(() => readConfig({ ...uri, OAUTH_PKCE: 'S256' }).authorization()).toThrow('OAUTH_PKCE must be true or false')
  })

  it('connects a company with a challenge and its verifier, which no address shows', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    const started = await service.fetch(`/oauth/start/${key}`)
    const sent = new URL(started.headers.get('Location') ?? '').searchParams
    expect(sent.get('code_challenge_method')).toBe('S256')
    expect(sent.get('code_challenge')).toMatch(/^[\w-]{43}$/)
    const nonce = sent.get('state')?.split(':')[1]
    const verifier = (await service.dynamo.item(`state#${nonce}`))?.['code_verifier']?.S ?? ''
    expect(verifier).toMatch(/^[\w-]{43,128}$/)
    expect(`${started.headers.get('Location')}`).not.toContain(verifier)
    const back = new URL(await consent(started.headers.get('Location') ?? '', { realmId }))
    expect((await service.fetch(`${back.pathname}${back.search}`)).status).toBe(200)
  })

  it('does not end with the code of another consent', async () => {
    const [victim, attacker, realmId] = [freshKey(), freshKey(), freshRealm()]
    const leaked = new URL(await service.consented(victim, { realmId }), service.url).searchParams
    const own = new URL(await service.consented(attacker, { realmId: freshRealm() }), service.url)
    own.searchParams.set('code', leaked.get('code') ?? '')
    await expectRefused(service, attacker, `${own.pathname}${own.search}`, EXCHANGE_FAILED)
    expect((await service.intuit.state()).grants).toEqual([])
  })
})
