import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256 } from '../support/fixtures.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const DAY = 86_400
const named = (name: string, companies: string[]) => ({
  ...{ name, sha256: sha256(name), may: ['connection:read'], companies },
})

const PLACEHOLDER =
  '{"message":"Connection listing is not implemented without a DynamoDB scan path. Use /api/connections/{company_key} for known companies.","path":"/api/connections"}'

let service: Service
let indexed: Service

beforeAll(async () => {
  const API_KEYS = JSON.stringify([named('ours', ['beach*']), named('all', ['*'])])
  ;[service, indexed] = await Promise.all([
    startService(),
    startService({ vars: { API_KEYS, DYNAMODB_FLEET_INDEX: 'fleet' } }),
  ])
})
afterAll(() => Promise.all([service.close(), indexed.close()]))

let tables = 0

const readStatus = async (companyKey: string) => {
  const answer = await service.api(`/api/connections/${companyKey}/status`)
  expect(answer.status).toBe(200)
  return answer.json()
}
const refresh = (companyKey: string) => service.api(`/api/token/${companyKey}/refresh`, { method: 'POST' })
const INTUIT_DOWN = { endpoint: 'token', fault: { kind: 'status', status: 503 } } as const

describe('the status of a connection', () => {
  it('has the status of a connection, with one read', async () => {
    await service.connect('steady', { companyName: 'Steady' })
    const before = service.dynamo.requests.length
    const status = await readStatus('steady')
    expect(service.dynamo.requests.slice(before).map(({ operation }) => operation)).toEqual(['GetItem'])
    expect(status).toEqual({
      ...{ company_key: 'steady', company_name: 'Steady', environment: 'production', connected: true },
      ...{ status: 'connected', generation: 1, realm_proven_at: null, last_refresh_at: expect.any(Number) },
      ...{ refresh_token_expires_at: expect.any(Number), refresh_token_days_left: expect.any(Number) },
      ...{ refresh_token_hard_expires_at: expect.any(Number), refresh_token_hard_days_left: 1805 },
      ...{ last_error: null, next_attempt_at: null, refreshes: [], disconnection: null },
      reconnect_url: 'http://localhost:8787/oauth/start/steady',
    })
  })

  it('has the last eight refreshes, newest first', async () => {
    await service.connect('busy')
    await service.intuit.turn({ rotateAfterSeconds: 0 })
    for (let count = 0; count < 12; count++) expect((await refresh('busy')).status).toBe(200)
    await service.intuit.turn({ rotateAfterSeconds: 86_400 })
    expect((await refresh('busy')).status).toBe(200)
    const { refreshes, generation } = await readStatus('busy')
    expect(generation).toBe(14)
    expect(refreshes).toHaveLength(8)
    expect(refreshes[0]).toEqual({ at: expect.any(Number), outcome: 'refreshed', rotated: false })
    expect(refreshes[1]).toMatchObject({ outcome: 'refreshed', rotated: true })
  })

  it('has the last error, since when, and the time of the next attempt', async () => {
    await service.connect('shaky')
    await service.intuit.fault(INTUIT_DOWN)
    expect((await refresh('shaky')).status).toBe(502)
    const status = await readStatus('shaky')
    expect(status).toMatchObject({
      ...{ status: 'failing', connected: true },
      last_error: { code: 'intuit_unavailable', attempts: 1, intuit_tid: expect.stringMatching(/^1-/) },
      refreshes: [{ outcome: 'intuit_unavailable', attempts: 1 }],
    })
    expect(status.next_attempt_at).toBe(status.last_error.at + 10)
    expect(status.last_error.since).toBe(status.last_error.at)
  })

  it('says when only a consent helps, and that no attempt will be made', async () => {
    await service.connect('dead', { realmId: '4620816365000000001' })
    await service.intuit.kill('4620816365000000001')
    await refresh('dead')
    const item = await service.dynamo.item('connection#dead')
    if (!item) throw new Error('no item')
    await service.dynamo.put({ ...item, retry_at: { N: '253402300799' } })
    expect(await readStatus('dead')).toMatchObject({
      ...{ status: 'reconnect_required', next_attempt_at: null },
      last_error: { code: 'reconnect_required' },
    })
  })

  it('has the status of an unfinished start', async () => {
    await service.fetch('/oauth/start/begun')
    expect(await readStatus('begun')).toMatchObject({
      ...{ status: 'unfinished', connected: false, refresh_token_days_left: null, generation: 0 },
    })
  })

  it('has the result of a disconnect, until the next consent', async () => {
    await service.connect('ended', { realmId: '4620816365000000002' })
    const answer = await (await service.api('/api/connections/ended', { method: 'DELETE' })).json()
    expect(await readStatus('ended')).toMatchObject({
      ...{ status: 'disconnected', connected: false },
      disconnection: { at: expect.any(Number), revocation: answer.revocation, intuit_tid: answer.intuit_tid },
    })
    expect(answer.revocation).toBe('confirmed')
    await service.connect('ended', { realmId: '4620816365000000002' })
    expect(await readStatus('ended')).toMatchObject({ status: 'connected', disconnection: null })
  })

  it('says that a revocation is pending', async () => {
    await service.connect('ending')
    await service.intuit.fault({ endpoint: 'revoke', times: 10, fault: { kind: 'status', status: 503 } })
    await service.api('/api/connections/ending', { method: 'DELETE' })
    expect(await readStatus('ending')).toMatchObject({ disconnection: { revocation: 'pending' } })
    await service.intuit.heal()
  })

  const ACCESS = ['access_token', 'access_token_expires_at'] as const
  const REFRESH = [
    'refresh_token',
    'refresh_token_expires_at',
    'refresh_token_hard_expires_at',
    'refresh_token_hash',
  ] as const
  const LATER = { N: String(Math.floor(Date.now() / 1000) + 100 * DAY) }
  it.each([
    ['both tokens', [], {}, { connected: true, status: 'connected' }],
    [
      'both tokens, which Intuit refuses',
      [],
      { failure_code: { S: 'invalid_grant' }, failed_at: LATER },
      { connected: true, status: 'reconnect_required' },
    ],
    ['an access token alone', REFRESH, {}, { connected: false, status: 'reconnect_required' }],
    ['a refresh token alone', ACCESS, {}, { connected: false, status: 'unfinished' }],
    [
      'a refresh token alone, which fails',
      ACCESS,
      { failure_code: { S: 'unavailable' }, failed_at: LATER },
      { connected: false, status: 'failing' },
    ],
    ['none', [...ACCESS, ...REFRESH], {}, { connected: false, status: 'disconnected' }],
    [
      'none, and never had a company',
      [...ACCESS, ...REFRESH, 'realm_id', 'generation'],
      {},
      { connected: false, status: 'unfinished' },
    ],
  ] as const)('uses one definition for every answer of a record with %s', async (_, removed, added, expected) => {
    const key = `table-${++tables}`
    await indexed.connect(key)
    const item = await indexed.dynamo.item(`connection#${key}`)
    const { fleet_shard, ...left } = Object.fromEntries(
      Object.entries({ ...item, ...added }).filter(([name]) => !removed.some((one) => one === name)),
    )
    const holdsRefreshToken = 'refresh_token' in left
    await indexed.dynamo.put({
      ...left,
      ...(fleet_shard && { fleet_shard }),
      dies_at: holdsRefreshToken ? LATER : { N: '9999999999' },
    })
    const body = async (path: string) => (await indexed.api(path)).json()
    expect(await body(`/api/connections/${key}`)).toMatchObject({ connected: expected.connected })
    expect(await body(`/api/connections/${key}/status`)).toMatchObject(expected)
    const { connections } = await body(`/api/connections?status=${expected.status}&limit=100`)
    const listed = connections.find((one: { company_key: string }) => one.company_key === key)
    expect(listed).toMatchObject(expected)
    if (!expected.connected) expect(['connected', 'expiring']).not.toContain(expected.status)
    await indexed.dynamo.remove(`connection#${key}`)
  })

  it('warns thirty days before a death', async () => {
    await service.connect('waning')
    const item = await service.dynamo.item('connection#waning')
    if (!item) throw new Error('no item')
    const inDays = (days: number) => ({ N: String(Math.floor(Date.now() / 1000) + days * DAY) })
    await service.dynamo.put({ ...item, refresh_token_hard_expires_at: inDays(29) })
    expect(await readStatus('waning')).toMatchObject({ status: 'expiring' })
    await service.dynamo.put({ ...item, refresh_token_hard_expires_at: inDays(31) })
    expect(await readStatus('waning')).toMatchObject({ status: 'connected' })
    await service.dynamo.put({ ...item, refresh_token_expires_at: inDays(-1) })
    expect(await readStatus('waning')).toMatchObject({ status: 'reconnect_required', refresh_token_days_left: 0 })
  })

  it('is 404 for a company that nobody began, 400 for a malformed key, 405 for another method', async () => {
    expect((await service.api('/api/connections/nobody/status')).status).toBe(404)
    expect((await service.api('/api/connections/no%20key/status')).status).toBe(400)
    const answer = await service.api('/api/connections/steady/status', { method: 'POST' })
    expect([answer.status, answer.headers.get('Allow')]).toEqual([405, 'GET, HEAD'])
  })
})

/** As DynamoDB counts: names and values; a number takes half its digits and a byte. */
const estimateBytes = (item: Record<string, { S?: string | undefined; N?: string | undefined }>) =>
  Object.entries(item).reduce((sum, [name, { S, N }]) => {
    const value = N === undefined ? Buffer.byteLength(S ?? ' ') : Math.ceil(N.length / 2) + 1
    return sum + name.length + value
  }, 0)

describe('a record', () => {
  it('stays under 2.5 KB with sealed tokens of 1,100 characters and a full history', async () => {
    await service.intuit.turn({ accessTokenLength: 1100, rotateAfterSeconds: 0 })
    await service.connect('beach-blend', { companyName: 'Beach Blend' })
    for (let count = 0; count < 9; count++) await refresh('beach-blend')
    const item = (await service.dynamo.item('connection#beach-blend')) ?? {}
    expect(item['refreshes']?.S?.split(',')).toHaveLength(8)
    expect(estimateBytes(item)).toBeLessThan(2_560)
  })
})

describe('a token answer', () => {
  it('says where the token came from and how long that took', async () => {
    await service.connect('timed')
    const timing = async (path: string, init?: RequestInit) =>
      (await service.api(path, init)).headers.get('Server-Timing')
    expect(await timing('/api/token/timed')).toMatch(/^table;dur=\d+$/)
    expect(await timing('/api/token/timed')).toMatch(/^memory;dur=\d+$/)
    expect(await timing('/api/token/timed/refresh', { method: 'POST' })).toMatch(/^intuit;dur=\d+$/)
    expect((await service.fetch('/api/token/timed')).headers.has('Server-Timing')).toBe(false)
    await expect.poll(() => service.logs()).toMatch(/"company_key":"timed","outcome":"ok","source":"memory"/)
  })
})

describe('the list of connections', () => {
  it('is the placeholder of the reference where no index is configured, to the byte', async () => {
    expect(await (await service.api('/api/connections')).text()).toBe(PLACEHOLDER)
    expect(await (await service.api('/api/connections?limit=nonsense&cursor=x')).text()).toBe(PLACEHOLDER)
  })

  it('leaves a company by the name of summary alone where no index is configured', async () => {
    await service.connect('summary')
    expect(await (await service.api('/api/connections/summary')).json()).toMatchObject({ company_key: 'summary' })
  })

  it('shows to a key of some companies those and no others, and refuses it the summary of all', async () => {
    for (const key of ['beach', 'beach-2', 'other']) await indexed.connect(key)
    const asked = (path: string, key: string) => indexed.fetch(path, { headers: { 'X-API-Key': key } })
    const keys = async (key: string) =>
      (await (await asked('/api/connections', key)).json()).connections.map(
        (one: { company_key: string }) => one.company_key,
      )
    expect((await keys('ours')).sort()).toEqual(['beach', 'beach-2'])
    expect((await keys('all')).sort()).toEqual(['beach', 'beach-2', 'other'])
    expect((await asked('/api/connections/summary', 'ours')).status).toBe(403)
    expect((await asked('/api/connections/other/status', 'ours')).status).toBe(403)
    expect((await asked('/api/connections/beach/status', 'ours')).status).toBe(200)
  })

  it('names the variable where the table has no such index', async () => {
    const missing = await startService({ vars: { DYNAMODB_FLEET_INDEX: 'other' } })
    const answer = await missing.api('/api/connections')
    expect(answer.status).toBe(500)
    expect(await answer.json()).toMatchObject({
      code: 'configuration_error',
      detail: expect.stringContaining('DYNAMODB_FLEET_INDEX'),
    })
    await missing.close()
  })
})
