import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Connection } from '../../src/broker/connection.ts'
import { createInProcessService, newSecrets, ORIGIN } from '../support/in-process.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const PATHS = ['/intuit/disconnected', '/intuit/reconnect']
const REALM = '12314585920123'
const TEN_MINUTES = 600

describe.each(PATHS)('Intuit’s link %s', (path) => {
  let service: Service
  beforeAll(async () => {
    service = await startService()
  })
  afterAll(() => service.close())

  it('makes a disconnect inside QuickBooks known at once', async () => {
    const record = async () => (await service.dynamo.item('connection#beach')) ?? {}
    expect((await service.connect('beach', { realmId: REALM })).status).toBe(200)
    await service.dynamo.put({ ...(await record()), last_refresh_at: { N: '1' } })
    await service.intuit.kill(REALM)
    expect((await service.fetch(`${path}?realmId=${REALM}`)).status).toBe(200)
    await expect.poll(async () => (await record())['failure_code']).toEqual({ S: 'invalid_grant' })
    const answer = await service.api('/api/token/beach/refresh', { method: 'POST' })
    expect(await answer.json()).toMatchObject({ code: 'reconnect_required' })
    expect((await service.intuit.state()).counts.refresh).toBe(1)
  })
})

describe.each(PATHS)('what %s names', (path) => {
  const secrets = newSecrets()
  let grantTypes: string[]
  let answerWith: () => Response
  let service: ReturnType<typeof createInProcessService>

  const succeed = () =>
    Response.json({
      ...{ token_type: 'bearer', access_token: 'access', expires_in: 3600 },
      ...{ refresh_token: secrets.refreshToken, x_refresh_token_expires_in: 8_726_400 },
    })
  const intuit: typeof fetch = async (input, init) => {
    grantTypes.push(new URLSearchParams(await new Request(input, init).text()).get('grant_type') ?? '')
    return answerWith()
  }
  const visit = (query: string, init: RequestInit = {}) => service.fetch(new Request(`${ORIGIN}${path}${query}`, init))

  const connect = async (companyKey: string, realmId: string) => {
    const started = await service.fetch(new Request(`${ORIGIN}/oauth/start/${companyKey}`))
    const state = new URL(started.headers.get('Location') ?? '').searchParams.get('state') ?? ''
    const query = new URLSearchParams({ code: 'code', state, realmId })
    const answer = await service.fetch(new Request(`${ORIGIN}/oauth/callback?${query}`))
    expect(answer.status).toBe(200)
    grantTypes.length = 0
  }
  const record = (companyKey: string) => {
    const row = service.rows.get(companyKey)
    if (!row) throw new Error(`There is no record of ${companyKey}.`)
    return row
  }
  const alter = (companyKey: string, change: Partial<Connection>) =>
    Object.assign(record(companyKey).connection, change)
  const ago = (seconds: number) => Math.floor(service.now() / 1000) - seconds

  beforeEach(async () => {
    grantTypes = []
    answerWith = succeed
    service = createInProcessService({
      secrets,
      fetch: intuit,
      vars: { BIND_BROWSER: 'false', INTUIT_TIMEOUT_MS: '15000', REFRESH_DEADLINE_MS: '25000' },
    })
    await connect('beach', REALM)
    alter('beach', { lastRefreshAt: ago(TEN_MINUTES) })
  })

  it.each(['beach', 'beach-sandbox'])('is found, whatever its environment: %s', async (companyKey) => {
    const realmId = `9${REALM}`
    await connect(companyKey === 'beach' ? 'palm' : companyKey, realmId)
    for (const { connection } of service.rows.values()) connection.lastRefreshAt = ago(TEN_MINUTES)
    await visit(`?realmId=${realmId}`)
    await service.settled()
    expect(grantTypes).toEqual(['refresh_token'])
  })

  it('is checked once in ten minutes, for any number of visits', async () => {
    await Promise.all([visit(`?realmId=${REALM}`), visit(`?realmId=${REALM}`)])
    await service.settled()
    await visit(`?realmId=${REALM}`)
    await service.settled()
    expect(grantTypes).toEqual(['refresh_token'])
  })

  it.each([
    ['a good answer', { lastRefreshAt: TEN_MINUTES - 1 }],
    ['a consent', { lastRefreshAt: 1 }],
  ])('is not asked about for ten minutes after %s', async (_, { lastRefreshAt }) => {
    alter('beach', { lastRefreshAt: ago(lastRefreshAt) })
    await visit(`?realmId=${REALM}`)
    await service.settled()
    expect(grantTypes).toEqual([])
  })

  it.each([400, 503])('is not asked about again for ten minutes after an answer of %d, and then is', async (status) => {
    answerWith = () => Response.json({ error: 'invalid_grant' }, { status })
    await visit(`?realmId=${REALM}`)
    // Waiting takes no time here: a second visit beside the first would use up its deadline.
    await service.settled()
    await visit(`?realmId=${REALM}`)
    await service.settled()
    expect(grantTypes).toEqual(['refresh_token'])
    const { failure } = record('beach').connection
    if (!failure) throw new Error('The failure was not remembered.')
    alter('beach', { failure: { ...failure, at: ago(TEN_MINUTES - 1) } })
    await visit(`?realmId=${REALM}`)
    await service.settled()
    expect(grantTypes).toEqual(['refresh_token'])
    alter('beach', { failure: { ...failure, at: ago(TEN_MINUTES) } })
    await visit(`?realmId=${REALM}`)
    await service.settled()
    expect(grantTypes).toEqual(['refresh_token', 'refresh_token'])
    expect(service.events).toContainEqual(expect.objectContaining({ event: 'background_refresh_failed' }))
  })

  it.each([
    ['a realm that nobody connected', '?realmId=1', {}],
    ['nothing', '', {}],
    ['no number', `?realmId=${REALM}x`, {}],
    ['two realms', `?realmId=${REALM}&realmId=${REALM}`, {}],
    ['the realm to a HEAD request', `?realmId=${REALM}`, { method: 'HEAD' }],
  ])('is not asked about where it is %s', async (_, query, init) => {
    await visit(query, init)
    await service.settled()
    expect(grantTypes).toEqual([])
  })

  it.each<[string, Partial<Connection>]>([
    ['has moved to another realm', { realmId: '2' }],
    ['is of the other environment', { environment: 'sandbox' }],
    ['was disconnected', { refreshToken: undefined }],
  ])('is not asked about where the connection %s', async (_, change) => {
    alter('beach', change)
    await visit(`?realmId=${REALM}`)
    await service.settled()
    expect(grantTypes).toEqual([])
  })
})
