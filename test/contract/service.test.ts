import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshKey } from '../support/fixtures.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const HOUR = 3600
const now = () => Math.floor(Date.now() / 1000)

let service: Service
beforeAll(async () => {
  service = await startService({ vars: { TOKEN_CACHE_SECONDS: '0', REFRESH_WAIT_MS: '2000' } })
})
afterAll(() => service.close())
beforeEach(async () => {
  service.dynamo.heal()
  await service.intuit.reset()
  service.dynamo.requests.length = 0
})

const problem = async (answer: Response) => ({ status: answer.status, code: (await answer.json()).code })
const operations = () => service.dynamo.requests.map(({ operation }) => operation)
const clear = () => {
  service.dynamo.requests.length = 0
}

/** Sets attributes of a stored connection behind the Worker's back; `undefined` removes one. */
const alter = async (key: string, change: Record<string, string | number | undefined>) => {
  const item = await service.dynamo.item(`connection#${key}`)
  if (!item) throw new Error('no such record')
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) delete item[name]
    else item[name] = typeof value === 'number' ? { N: String(value) } : { S: value }
  }
  await service.dynamo.put(item)
}
const expire = (key: string) => alter(key, { access_token_expires_at: now() - 1 })
const stored = async (key: string) => (await service.dynamo.item(`connection#${key}`)) ?? {}

describe('GET /health', () => {
  it('answers the reference’s body without asking the table', async () => {
    const answer = await service.fetch('/health')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ status: 'ok' })
    expect(service.dynamo.requests).toEqual([])
  })

  it.each(['/health/', '/he%61lth', '/health?x=/api/token'])(
    'answers at its other spellings, too: %s',
    async (path) => {
      const answer = await service.fetch(path)
      expect(answer.status).toBe(200)
      expect(await answer.json()).toEqual({ status: 'ok' })
    },
  )
})

describe('GET /oauth/start/{company_key}', () => {
  it('redirects to Intuit with a stored state, by two requests to the table in parallel', async () => {
    const key = freshKey()
    const held = Promise.withResolvers<void>()
    service.dynamo.fault({ kind: 'hold', until: held.promise, times: 2 })
    const pendingStart = service.fetch(`/oauth/start/${key}?company_name=Beach%20Blend`)
    await expect.poll(() => operations().sort()).toEqual(['PutItem', 'UpdateItem'])
    held.resolve()
    const answer = await pendingStart
    expect(operations()).toHaveLength(2)
    expect(answer.status).toBe(302)
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    const location = new URL(answer.headers.get('Location') ?? '')
    expect(`${location.origin}${location.pathname}`).toBe(`${service.intuit.url}/connect/oauth2`)
    const state = location.searchParams.get('state') ?? ''
    expect(Object.fromEntries(location.searchParams)).toEqual({
      client_id: service.pairs.production.clientId,
      response_type: 'code',
      scope: 'com.intuit.quickbooks.accounting',
      redirect_uri: 'http://localhost:8787/oauth/callback',
      state,
    })
    const [companyKey, nonce = ''] = state.split(':')
    expect(companyKey).toBe(key)
    expect(Buffer.from(nonce, 'base64url').byteLength).toBeGreaterThanOrEqual(16)
    expect(await service.dynamo.item(`state#${nonce}`)).toMatchObject({ company_key: { S: key } })
  })

  it('creates a record that is not connected and that expires after a day', async () => {
    const key = freshKey()
    await service.fetch(`/oauth/start/${key}?company_name=%20Beach%20Blend%20`)
    const record = await stored(key)
    expect(record).toMatchObject({ company_key: { S: key }, company_name: { S: 'Beach Blend' } })
    expect(Number(record['expires_at']?.N) - now()).toBeGreaterThan(23 * HOUR)
    expect(await (await service.api(`/api/connections/${key}`)).json()).toMatchObject({
      ...{ connected: false, realm_id: null, access_token_expires_at: null, refresh_token_expires_at: null },
      ...{ last_refresh_at: null, company_name: 'Beach Blend', environment: 'production' },
    })
    expect(await problem(await service.api(`/api/token/${key}`))).toEqual({
      status: 409,
      code: 'missing_refresh_token',
    })
  })

  it.each([
    ['the key', (key: string) => `/oauth/start/SandBox-${key}`],
    ['the name', (key: string) => `/oauth/start/${key}?company_name=A%20SANDBOX`],
  ])('takes the sandbox pair where %s contains sandbox in any case', async (_, path) => {
    const answer = await service.fetch(path(freshKey()))
    const location = new URL(answer.headers.get('Location') ?? '')
    expect(location.searchParams.get('client_id')).toBe(service.pairs.sandbox.clientId)
  })

  it('takes the sandbox pair of the stored name where none is given', async () => {
    const key = freshKey()
    await service.connect(key, { companyName: 'My Sandbox' })
    const again = await service.fetch(`/oauth/start/${key}`)
    expect(new URL(again.headers.get('Location') ?? '').searchParams.get('client_id')).toBe(
      service.pairs.sandbox.clientId,
    )
    expect((await service.connect(key)).status).toBe(200)
    expect(await (await service.api(`/api/connections/${key}`)).json()).toMatchObject({ environment: 'sandbox' })
  })

  it('leaves a live record alone until the callback succeeds', async () => {
    const key = freshKey()
    await service.connect(key, { companyName: 'First' })
    const before = await stored(key)
    await service.fetch(`/oauth/start/${key}?company_name=Second`)
    expect(await stored(key)).toEqual(before)
    await service.connect(key, { companyName: 'Second' })
    expect(await stored(key)).toMatchObject({ company_name: { S: 'Second' }, generation: { N: '2' } })
  })

  const bad: [string, string, string][] = [
    ['an empty key', '/oauth/start/', 'invalid_company_key'],
    ['no key', '/oauth/start', 'invalid_company_key'],
    ['a key that begins with a hyphen', '/oauth/start/-beach', 'invalid_company_key'],
    ['a key of 65 characters', `/oauth/start/${'a'.repeat(65)}`, 'invalid_company_key'],
    ['a key with a slash', '/oauth/start/a/b', 'invalid_company_key'],
    ['a key with an encoded slash', '/oauth/start/a%2Fb', 'invalid_company_key'],
    ['a key with a colon', '/oauth/start/a:b', 'invalid_company_key'],
    ['a key that is not ASCII', '/oauth/start/b%C3%BCro', 'invalid_company_key'],
    ['a key of broken encoding', '/oauth/start/a%ZZ', 'invalid_company_key'],
    ['a key with a control character', '/oauth/start/a%00', 'invalid_company_key'],
    ['a name of 201 characters', `/oauth/start/beach?company_name=${'a'.repeat(201)}`, 'invalid_company_name'],
    ['a name with a control character', '/oauth/start/beach?company_name=a%07b', 'invalid_company_name'],
    ['a name with a line break at its end', '/oauth/start/beach?company_name=a%0A', 'invalid_company_name'],
    ['a name that is not UTF-8', '/oauth/start/beach?company_name=%FF%FE', 'invalid_company_name'],
    ['two names', '/oauth/start/beach?company_name=a&company_name=b', 'invalid_request'],
    ['a query of 15 KB', `/oauth/start/beach?x=${'a'.repeat(15_000)}`, 'invalid_request'],
  ]
  it.each(bad)('refuses %s and stores nothing', async (_, path, code) => {
    const answer = await service.fetch(path)
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json')
    expect(await problem(answer)).toEqual({ status: 400, code })
    expect(service.dynamo.requests).toEqual([])
  })

  it('accepts keys and names at their limits', async () => {
    const name = 'ü'.repeat(200)
    const key = 'a'.repeat(64)
    const answer = await service.fetch(`/oauth/start/${key}?company_name=%20${encodeURIComponent(name)}%20`)
    expect(answer.status).toBe(302)
    expect(await stored(key)).toMatchObject({ company_name: { S: name } })
  })

  it.each([
    ['Sec-Purpose', 'prefetch;prerender'],
    ['Purpose', 'prefetch'],
  ])('does nothing for a browser that looks ahead (%s: %s)', async (name, value) => {
    for (const path of ['/oauth/start/beach', '/oauth/callback?code=a&state=b']) {
      const answer = await service.fetch(path, { headers: { [name]: value } })
      expect(answer.status).toBe(503)
      expect(answer.headers.get('Cache-Control')).toBe('no-store')
    }
    expect(service.dynamo.requests).toEqual([])
  })
})

describe('GET /oauth/callback', () => {
  it('stores the tokens and answers without showing one', async () => {
    const key = freshKey()
    const answer = await service.connect(key, { companyName: 'Beach Blend', realmId: '12314585920123' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    expect(answer.headers.get('Referrer-Policy')).toBe('no-referrer')
    const body = await answer.json()
    expect(body).toMatchObject({
      ...{ company_key: key, company_name: 'Beach Blend', realm_id: '12314585920123', connected: true },
      uses_sandbox_credentials: false,
    })
    const record = await stored(key)
    expect(record).toMatchObject({ realm_id: { S: '12314585920123' }, generation: { N: '1' } })
    expect(record['last_refresh_at']).toEqual(record['updated_at'])
    expect(record).not.toHaveProperty('expires_at')
    for (const attribute of ['access_token', 'refresh_token'] as const) {
      expect(JSON.stringify(body)).not.toContain(record[attribute]?.S)
    }
  })

  it('asks the table five times, three before the code is used and two after, each at once, and then records the outcome', async () => {
    const path = await service.consented(freshKey(), { realmId: '9001' })
    clear()
    const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    service.dynamo.fault({ kind: 'hold', until: held[0]?.promise ?? Promise.resolve(), times: 3 })
    service.dynamo.fault({ kind: 'hold', until: held[1]?.promise ?? Promise.resolve(), times: 2 })
    const answering = service.fetch(path)
    await expect.poll(() => operations().sort()).toEqual(['GetItem', 'GetItem', 'UpdateItem'])
    expect((await service.intuit.state()).counts.exchange).toBe(0)
    held[0]?.resolve()
    await expect.poll(() => operations().slice(3).sort()).toEqual(['PutItem', 'UpdateItem'])
    held[1]?.resolve()
    expect((await answering).status).toBe(200)
    await expect.poll(() => operations().slice(5), { timeout: 20_000 }).toEqual(['UpdateItem'])
  })

  it.each([
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html; charset=UTF-8'],
    ['application/json', 'application/json'],
    ['*/*', 'application/json'],
    ['text/html;q=0.5, application/json', 'application/json'],
  ])('answers %s with %s', async (accept, type) => {
    const path = await service.consented(freshKey(), { companyName: '<b>Müller</b> & "Co"' })
    const answer = await service.fetch(path, { headers: { Accept: accept } })
    expect(answer.headers.get('Content-Type')).toBe(type)
    if (type.startsWith('text/html')) {
      expect(await answer.text()).toContain('&lt;b&gt;Müller&lt;/b&gt; &amp; &quot;Co&quot; is connected')
      expect(answer.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
    }
  })

  const malformed: [string, string, string][] = [
    ['no code', 'state=a:b', 'missing_code'],
    ['an empty code', 'code=&state=a:b', 'missing_code'],
    ['no state', 'code=a', 'missing_state'],
    ['an empty state', 'code=a&state=', 'missing_state'],
    ['nothing', '', 'missing_code'],
    ['two codes', 'code=a&code=b&state=a:b', 'invalid_request'],
    ['two states', 'code=a&state=a:b&state=a:c', 'invalid_request'],
    ['two realm ids', 'code=a&state=a:b&realmId=1&realmId=2', 'invalid_request'],
    ['a realm id that is no number', 'code=a&state=a:b&realmId=12x', 'invalid_request'],
    ['a realm id of 20 digits', `code=a&state=a:b&realmId=${'1'.repeat(20)}`, 'invalid_request'],
    ['a code of 513 characters', `code=${'a'.repeat(513)}&state=a:b`, 'invalid_request'],
    ['a code with control characters', 'code=a%00&state=a:b', 'invalid_request'],
    ['a query of 15 KB', `code=a&state=a:b&x=${'a'.repeat(15_000)}`, 'invalid_request'],
  ]
  it.each(malformed)('refuses %s and touches nothing', async (_, query, code) => {
    expect(await problem(await service.fetch(`/oauth/callback?${query}`))).toEqual({ status: 400, code })
    expect(service.dynamo.requests).toEqual([])
  })

  it.each([
    ['without a nonce', 'beach'],
    ['with an empty nonce', 'beach:'],
    ['with two colons', 'beach:a:b'],
    ['that nobody issued', 'beach:AAAAAAAAAAAAAAAAAAAAAA'],
    ['that is no company key', '%00:AAAA'],
    ['that is over-long', `beach:${'a'.repeat(3000)}`],
  ])('refuses a state %s and spends no code', async (_, state) => {
    const answer = await service.fetch(`/oauth/callback?code=a&realmId=1&state=${state}`)
    expect(await problem(answer)).toEqual({ status: 400, code: 'invalid_state' })
    expect((await service.intuit.state()).counts.exchange).toBe(0)
  })

  it('refuses a replay, and the connection lives on', async () => {
    const key = freshKey()
    const path = await service.consented(key)
    expect((await service.fetch(path)).status).toBe(200)
    expect(await problem(await service.fetch(path))).toEqual({ status: 400, code: 'invalid_state' })
    expect((await service.intuit.state()).counts.exchange).toBe(1)
    expect((await service.api(`/api/token/${key}/refresh`, { method: 'POST' })).status).toBe(200)
  })

  it('lets one of two simultaneous callbacks through', async () => {
    const path = await service.consented(freshKey())
    const statuses = await Promise.all(
      [service.fetch(path), service.fetch(path)].map(async (one) => (await one).status),
    )
    expect(statuses.sort()).toEqual([200, 400])
    expect((await service.intuit.state()).counts.exchange).toBe(1)
  })

  it('refuses a state of another key, and an expired one', async () => {
    const path = await service.consented(freshKey())
    const foreign = path.replace(/state=company-\d+/, 'state=other')
    expect(await problem(await service.fetch(foreign))).toEqual({ status: 400, code: 'invalid_state' })
    const nonce = /state=[^&]*(?:%3A|:)([^&]+)/.exec(path)?.[1] ?? ''
    const item = (await service.dynamo.item(`state#${nonce}`)) ?? {}
    await service.dynamo.put({ ...item, expires_at: { N: String(now() - 1) } })
    expect(await problem(await service.fetch(path))).toEqual({ status: 400, code: 'invalid_state' })
    expect((await service.intuit.state()).counts.exchange).toBe(0)
  })

  it.each(['access_denied', 'invalid_scope', 'something_new'])(
    'says that Intuit refused (%s) and uses the state',
    async (error) => {
      const key = freshKey()
      const path = await service.consented(key)
      const state = new URL(path, service.url).searchParams.get('state') ?? ''
      const reason = `/oauth/callback?error=${error}&state=${encodeURIComponent(state)}`
      expect(await problem(await service.fetch(reason))).toEqual({ status: 400, code: 'authorization_denied' })
      expect(await problem(await service.fetch(path))).toEqual({ status: 400, code: 'invalid_state' })
      expect((await service.intuit.state()).counts.exchange).toBe(0)
    },
  )

  it('answers 404 without calling Intuit where the record is gone or has expired', async () => {
    for (const change of ['removed', 'expired']) {
      const key = freshKey()
      const path = await service.consented(key)
      if (change === 'removed') await service.dynamo.remove(`connection#${key}`)
      else await alter(key, { expires_at: now() - 1 })
      expect(await problem(await service.fetch(path))).toEqual({ status: 404, code: 'connection_not_found' })
    }
    expect((await service.intuit.state()).counts.exchange).toBe(0)
  })

  it('rejects another realm before the code is used, and does not change the connection', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: '111' })
    const before = await stored(key)
    expect(await problem(await service.connect(key, { realmId: '222' }))).toEqual({
      status: 409,
      code: 'realm_mismatch',
    })
    expect(await stored(key)).toEqual(before)
    expect((await service.intuit.state()).counts).toMatchObject({ exchange: 1, revoke: 0 })
  })

  it.each([
    ['token_exchange_failed', { kind: 'invalid_grant_outage' }],
    [
      'intuit_rejected_client',
      { kind: 'status', status: 401, body: '{"error":"invalid_client"}', contentType: 'application/json' },
    ],
    ['intuit_unavailable', { kind: 'status', status: 503, body: '<html>' }],
    ['intuit_unavailable', { kind: 'status', status: 429 }],
    ['intuit_unavailable', { kind: 'reset_before' }],
    ['intuit_unavailable', { kind: 'huge', bytes: 200_000 }],
  ])('answers 502 %s when the exchange fails (%j), after one attempt', async (code, fault) => {
    const path = await service.consented(freshKey())
    await service.intuit.fault({ endpoint: 'token', times: 2, fault })
    const answer = await service.fetch(path)
    expect(await answer.clone().json()).toMatchObject(
      fault.kind === 'reset_before' ? {} : { intuit_tid: expect.stringMatching(/^1-/) },
    )
    expect(await problem(answer)).toEqual({ status: 502, code })
    await service.intuit.heal()
    expect((await service.intuit.state()).counts.exchange).toBe(0)
  })
})

describe('GET /api/token/{company_key}', () => {
  it('answers a valid token with the reference’s fields, by one read', async () => {
    const key = freshKey()
    await service.connect(key, { companyName: 'Beach Blend', realmId: '12314585920123' })
    clear()
    const answer = await service.api(`/api/token/${key}`)
    expect(operations()).toEqual(['GetItem'])
    expect(answer.headers.get('Cache-Control')).toContain('no-store')
    const body = await answer.json()
    const record = await stored(key)
    expect(body).toEqual({
      company_key: key,
      company_name: 'Beach Blend',
      realm_id: '12314585920123',
      access_token: expect.stringMatching(/^eyJ/),
      access_token_expires_at: Number(record['access_token_expires_at']?.N),
      refresh_token_expires_at: Number(record['refresh_token_expires_at']?.N),
      updated_at: Number(record['updated_at']?.N),
      last_refresh_at: Number(record['last_refresh_at']?.N),
      uses_sandbox_credentials: false,
    })
  })

  it('refreshes an expired token first, by three requests to the table and one to Intuit', async () => {
    const key = freshKey()
    await service.connect(key)
    const before = await (await service.api(`/api/token/${key}`)).json()
    await expire(key)
    clear()
    const after = await (await service.api(`/api/token/${key}`)).json()
    expect(operations()).toEqual(['GetItem', 'UpdateItem', 'UpdateItem'])
    expect(after.access_token).not.toBe(before.access_token)
    expect(after.access_token_expires_at).toBeGreaterThan(now() + HOUR / 2)
    expect((await service.intuit.state()).counts.refresh).toBe(1)
    expect(await stored(key)).toMatchObject({ generation: { N: '2' } })
    expect(await stored(key)).not.toHaveProperty('lease_owner')
  })

  it('refreshes a token close to expiry, and in the background before that', async () => {
    const key = freshKey()
    await service.connect(key)
    await alter(key, { access_token_expires_at: now() + 299, last_refresh_at: now() - 600 })
    await service.api(`/api/token/${key}`)
    expect(await stored(key)).toMatchObject({ generation: { N: '2' } })
    await alter(key, { access_token_expires_at: now() + 500, last_refresh_at: now() - 600 })
    const answered = await (await service.api(`/api/token/${key}`)).json()
    expect(answered.access_token_expires_at).toBeLessThanOrEqual(now() + 500)
    await expect.poll(() => stored(key)).toMatchObject({ generation: { N: '3' } })
  })

  it('answers a fresh token even where no refresh token is stored, and 409 once one is needed', async () => {
    const key = freshKey()
    await service.connect(key)
    await alter(key, { refresh_token: undefined, refresh_token_hash: undefined })
    expect((await service.api(`/api/token/${key}`)).status).toBe(200)
    expect(await problem(await service.api(`/api/token/${key}/refresh`, { method: 'POST' }))).toEqual({
      ...{ status: 409, code: 'missing_refresh_token' },
    })
    await expire(key)
    expect(await problem(await service.api(`/api/token/${key}`))).toEqual({
      status: 409,
      code: 'missing_refresh_token',
    })
  })

  it('serves a record written by hand, and completes it at its first refresh', async () => {
    const key = freshKey()
    await service.connect(key)
    const { pk, access_token, refresh_token } = await stored(key)
    if (!pk || !access_token || !refresh_token) throw new Error('not connected')
    await service.dynamo.put({ pk, access_token, refresh_token, access_token_expires_at: { N: String(now() + HOUR) } })
    expect(await (await service.api(`/api/token/${key}`)).json()).toMatchObject({
      ...{ company_key: key, company_name: key, realm_id: null, last_refresh_at: null },
    })
    expect((await service.api(`/api/token/${key}/refresh`, { method: 'POST' })).status).toBe(200)
    expect(await stored(key)).toMatchObject({ generation: { N: '1' }, refresh_token_hash: { S: expect.any(String) } })
  })

  it('answers 404 for an unknown key and for an unfinished one that expired', async () => {
    expect(await problem(await service.api('/api/token/unknown'))).toEqual({
      status: 404,
      code: 'connection_not_found',
    })
    const key = freshKey()
    await service.fetch(`/oauth/start/${key}`)
    await alter(key, { expires_at: now() - 1 })
    for (const path of [`/api/token/${key}`, `/api/connections/${key}`]) {
      expect(await problem(await service.api(path))).toEqual({ status: 404, code: 'connection_not_found' })
    }
  })

  it('distinguishes a dead connection, an outage and wrong credentials, with Intuit’s id', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: '777' })
    await expire(key)
    await service.intuit.fault({ endpoint: 'token', fault: { kind: 'status', status: 502, body: '<html>' } })
    const outage = await service.api(`/api/token/${key}`)
    expect(await outage.clone().json()).toMatchObject({ intuit_tid: expect.stringMatching(/^1-/) })
    expect(await problem(outage)).toEqual({ status: 502, code: 'intuit_unavailable' })
    await alter(key, { retry_at: now() - 1 })
    const wrongClient = {
      kind: 'status',
      status: 401,
      body: '{"error":"invalid_client"}',
      contentType: 'application/json',
    }
    await service.intuit.fault({ endpoint: 'token', fault: wrongClient })
    expect(await problem(await service.api(`/api/token/${key}`))).toEqual({
      status: 502,
      code: 'intuit_rejected_client',
    })
    await alter(key, { retry_at: now() - 1 })
    await service.intuit.kill('777')
    expect(await problem(await service.api(`/api/token/${key}`))).toEqual({ status: 502, code: 'reconnect_required' })
    expect(await service.dynamo.item(`connection#${key}`)).toMatchObject({ refresh_token: { S: expect.any(String) } })
  })

  it('asks Intuit once more after a reset connection, and not after a time-out or an answer', async () => {
    const key = freshKey()
    await service.connect(key)
    await service.intuit.fault({ endpoint: 'token', fault: { kind: 'reset_before' } })
    expect((await service.api(`/api/token/${key}/refresh`, { method: 'POST' })).status).toBe(200)
    await service.intuit.fault({ endpoint: 'token', times: 2, fault: { kind: 'reset_before' } })
    await alter(key, { failed_at: undefined })
    expect(await problem(await service.api(`/api/token/${key}/refresh`, { method: 'POST' }))).toEqual({
      status: 502,
      code: 'intuit_unavailable',
    })
    expect((await service.intuit.state()).counts.refresh).toBe(1)
  })

  it('lets a forced refresh pass the pause of a failure, but not more often than once in ten seconds', async () => {
    const key = freshKey()
    await service.connect(key)
    await expire(key)
    await service.intuit.fault({ endpoint: 'token', times: 2, fault: { kind: 'status', status: 503 } })
    const force = async () => problem(await service.api(`/api/token/${key}/refresh`, { method: 'POST' }))
    expect(await force()).toEqual({ status: 502, code: 'intuit_unavailable' })
    await service.intuit.heal()
    expect(await force()).toEqual({ status: 502, code: 'intuit_unavailable' })
    expect((await service.intuit.state()).counts.refresh).toBe(0)
    await alter(key, { failed_at: now() - 11, retry_at: now() + 500 })
    expect(await problem(await service.api(`/api/token/${key}`))).toMatchObject({ code: 'intuit_unavailable' })
    expect(await force()).toMatchObject({ status: 200 })
  })

  it('answers 503 with Retry-After while somebody else refreshes an expired token', async () => {
    const key = freshKey()
    await service.connect(key)
    await alter(key, { access_token_expires_at: now() - 1, lease_owner: 'somebody', lease_until: Date.now() + 60_000 })
    const answer = await service.api(`/api/token/${key}`)
    expect(answer.headers.get('Retry-After')).toBe('2')
    expect(await problem(answer)).toEqual({ status: 503, code: 'refresh_in_progress' })
  })

  it('leaves the last error, Intuit’s id and the hard expiry on the record', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: '779' })
    expect(Number((await stored(key))['refresh_token_hard_expires_at']?.N)).toBeGreaterThan(now() + 1800 * 86_400)
    expect(await stored(key)).toMatchObject({ last_rotation_at: { N: expect.any(String) } })
    await service.intuit.kill('779')
    await expire(key)
    await service.api(`/api/token/${key}`)
    expect(await stored(key)).toMatchObject({
      ...{ failure_code: { S: 'invalid_grant' }, failure_tid: { S: expect.stringMatching(/^1-/) } },
      ...{ failed_at: { N: expect.any(String) }, retry_at: { N: expect.any(String) } },
    })
  })

  it('does not ask Intuit again at once about a connection that it called dead', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: '778' })
    await expire(key)
    await service.intuit.kill('778')
    for (let time = 0; time < 3; time++) {
      expect(await problem(await service.api(`/api/token/${key}`))).toMatchObject({ code: 'reconnect_required' })
    }
    expect((await service.intuit.state()).counts.refresh).toBe(1)
    expect((await service.connect(key, { realmId: '778' })).status).toBe(200)
    expect((await service.api(`/api/token/${key}`)).status).toBe(200)
  })
})

describe('POST /api/token/{company_key}/refresh', () => {
  it('puts every record into the fleet index, by the earlier of its token’s two deaths', async () => {
    const key = freshKey()
    await service.fetch(`/oauth/start/${key}`)
    expect(await stored(key)).toMatchObject({
      fleet_shard: { S: expect.stringMatching(/^\d\d$/) },
      // Later than every connection, so that no flood of starts is before one.
      dies_at: { N: '10000000000' },
    })
    // A record that an earlier version began moves with the next start.
    await alter(key, { dies_at: 9_999_999_999 })
    await service.fetch(`/oauth/start/${key}`)
    expect(await stored(key)).toMatchObject({ dies_at: { N: '10000000000' } })
    await service.connect(key)
    const { refresh_token_expires_at, dies_at } = await stored(key)
    expect(dies_at).toEqual(refresh_token_expires_at)
    await alter(key, { refresh_token_hard_expires_at: now() + 500, dies_at: 1 })
    await service.api(`/api/token/${key}/refresh`, { method: 'POST' })
    expect(Number((await stored(key))['dies_at']?.N)).toBeGreaterThan(now() + HOUR)
  })

  it('refreshes a token that is still fresh', async () => {
    const key = freshKey()
    await service.connect(key)
    const before = await (await service.api(`/api/token/${key}`)).json()
    const answer = await service.api(`/api/token/${key}/refresh`, { method: 'POST' })
    expect(answer.status).toBe(200)
    const after = await answer.json()
    expect(Object.keys(after)).toEqual(Object.keys(before))
    expect(after.access_token).not.toBe(before.access_token)
  })

  it('follows the token through its rotation', async () => {
    const key = freshKey()
    await service.connect(key)
    const first = (await stored(key))['refresh_token_hash']?.S
    await service.intuit.advance(25 * HOUR)
    await service.api(`/api/token/${key}/refresh`, { method: 'POST' })
    const second = (await stored(key))['refresh_token_hash']?.S
    expect(second).not.toBe(first)
    expect((await service.api(`/api/token/${key}/refresh`, { method: 'POST' })).status).toBe(200)
    expect((await service.intuit.state()).tokenUses.map(({ outcome }) => outcome)).toEqual([
      'rotated',
      'rotated',
      'same',
    ])
  })
})

describe('a conditional forced refresh', () => {
  const refreshIf = (key: string, tag: string) =>
    service.api(`/api/token/${key}/refresh`, { method: 'POST', headers: { 'If-Match': tag } })

  it('sends the generation as a strong ETag that no edge may weaken', async () => {
    const key = freshKey()
    await service.connect(key)
    const read = await service.api(`/api/token/${key}`)
    expect(read.headers.get('ETag')).toBe('"1"')
    expect(read.headers.get('Cache-Control')).toBe('no-store, no-transform')
    const refreshed = await service.api(`/api/token/${key}/refresh`, { method: 'POST' })
    expect(refreshed.headers.get('ETag')).toBe('"2"')
  })

  it.each(['"1"', 'W/"1"', '"7", "1"', '*'])('refreshes where If-Match: %s names the current one', async (tag) => {
    const key = freshKey()
    await service.connect(key)
    expect((await refreshIf(key, tag)).status).toBe(200)
    expect(await stored(key)).toMatchObject({ generation: { N: '2' } })
  })

  it.each(['"2"', '"x"', '""', '"7", "8"'])('answers 412 for %s, and refreshes nothing', async (tag) => {
    const key = freshKey()
    await service.connect(key)
    expect(await problem(await refreshIf(key, tag))).toEqual({ status: 412, code: 'generation_mismatch' })
    expect((await service.intuit.state()).counts.refresh).toBe(0)
  })

  it.each(['1', '"1', '"1" "2"', '"1",,'])('answers 400 for the malformed %j', async (tag) => {
    const key = freshKey()
    await service.connect(key)
    expect(await problem(await refreshIf(key, tag))).toEqual({ status: 400, code: 'invalid_request' })
    expect((await service.intuit.state()).counts.refresh).toBe(0)
  })

  it('refreshes once for all who name the same generation at once', async () => {
    const key = freshKey()
    await service.connect(key)
    await service.intuit.turn({ tokenDelayMs: 300 })
    const answers = await Promise.all(Array.from({ length: 10 }, () => refreshIf(key, '"1"')))
    for (const answer of answers) expect([200, 412]).toContain(answer.status)
    expect((await service.intuit.state()).counts.refresh).toBe(1)
  })
})

describe('GET /api/token/{company_key}?min_ttl=', () => {
  const read = (key: string, minTtl: string) => service.api(`/api/token/${key}?min_ttl=${minTtl}`)

  it('refreshes a token that lives shorter than asked for', async () => {
    const key = freshKey()
    await service.connect(key)
    await alter(key, { access_token_expires_at: now() + 1500, last_refresh_at: now() - 2100 })
    expect((await read(key, '1400')).headers.get('ETag')).toBe('"1"')
    expect((await read(key, '1800')).headers.get('ETag')).toBe('"2"')
  })

  it('is satisfied by a token that was refreshed within the last minute', async () => {
    const key = freshKey()
    await service.connect(key)
    await alter(key, { access_token_expires_at: now() + 1500 })
    expect((await read(key, '1800')).headers.get('ETag')).toBe('"1"')
  })

  it.each(['-1', '1801', 'x', '1.5', '', '1e3', '60&min_ttl=60'])('refuses %j', async (minTtl) => {
    const key = freshKey()
    await service.connect(key)
    expect(await problem(await read(key, minTtl))).toEqual({ status: 400, code: 'invalid_request' })
  })
})

describe('GET /api/connections', () => {
  it('answers the reference’s placeholder to the letter', async () => {
    const answer = await service.api('/api/connections')
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe(
      '{"message":"Connection listing is not implemented without a DynamoDB scan path. Use /api/connections/{company_key} for known companies.","path":"/api/connections"}',
    )
    expect(service.dynamo.requests).toEqual([])
  })

  it('answers the metadata of one connection, and no token', async () => {
    const key = freshKey()
    await service.connect(key, { companyName: 'Beach Blend', realmId: '9130347596842384926' })
    clear()
    const answer = await service.api(`/api/connections/${key}`)
    expect(operations()).toEqual(['GetItem'])
    expect(await answer.json()).toEqual({
      company_key: key,
      company_name: 'Beach Blend',
      realm_id: '9130347596842384926',
      environment: 'production',
      access_token_expires_at: expect.any(Number),
      refresh_token_expires_at: expect.any(Number),
      updated_at: expect.any(Number),
      created_at: expect.any(Number),
      last_refresh_at: expect.any(Number),
      connected: true,
    })
  })
})

describe('the API key', () => {
  const paths = [
    '/api/token/beach',
    '/api/connections',
    '/api/connections/beach',
    '/api/nothing',
    '/api',
    '/api/token/-bad',
  ]

  it.each(paths)('is required before anything else at %s', async (path) => {
    const wrong: RequestInit[] = [{}, { headers: { 'X-API-Key': '' } }, { headers: { 'X-API-Key': 'wrong' } }]
    for (const init of wrong) {
      const answer = await service.fetch(path, init)
      expect(answer.headers.get('WWW-Authenticate')).toBeTruthy()
      expect(await problem(answer)).toEqual({ status: 401, code: 'invalid_api_key' })
    }
    expect(service.dynamo.requests).toEqual([])
  })

  it('can come in the query; the header has priority, and a repeated parameter is no key', async () => {
    const key = encodeURIComponent(service.apiKey)
    expect((await service.fetch(`/api/connections?api_key=${key}`)).status).toBe(200)
    expect((await service.fetch(`/api/connections?api_key=${key}`, { headers: { 'X-API-Key': 'wrong' } })).status).toBe(
      401,
    )
    expect((await service.api('/api/connections?api_key=wrong')).status).toBe(200)
    expect((await service.fetch(`/api/connections?api_key=${key}&api_key=${key}`)).status).toBe(401)
  })

  it.each([
    ['GET', '/api/token/-beach'],
    ['GET', '/api/token/'],
    ['GET', '/api/token/a%20b'],
    ['POST', '/api/token/-beach/refresh'],
    ['GET', '/api/connections/b%C3%BCro'],
    ['GET', `/api/connections/${'a'.repeat(65)}`],
  ])('comes before a malformed company key: %s %s', async (method, path) => {
    expect((await service.fetch(path, { method })).status).toBe(401)
    expect(await problem(await service.api(path, { method }))).toEqual({ status: 400, code: 'invalid_company_key' })
    expect(service.dynamo.requests).toEqual([])
  })

  it('refuses a query of 15 KB after the key', async () => {
    const path = `/api/token/beach?x=${'a'.repeat(15_000)}`
    expect((await service.fetch(path)).status).toBe(401)
    expect(await problem(await service.api(path))).toEqual({ status: 400, code: 'invalid_request' })
  })
})

describe('paths and methods', () => {
  it('answers HEAD where GET is answered', async () => {
    const key = freshKey()
    await service.connect(key)
    for (const path of ['/health', '/api/connections', `/api/connections/${key}`, `/api/token/${key}`]) {
      const answer = await service.api(path, { method: 'HEAD' })
      expect(answer.status).toBe(200)
      expect(await answer.text()).toBe('')
    }
  })

  it.each([
    ['HEAD', '/oauth/start/beach', 'GET'],
    ['HEAD', '/oauth/callback?code=a&state=a:b', 'GET'],
    ['POST', '/oauth/start/beach', 'GET'],
    ['POST', '/oauth/callback', 'GET'],
    ['POST', '/health', 'GET, HEAD'],
    ['POST', '/api/token/beach', 'GET, HEAD'],
    ['GET', '/api/token/beach/refresh', 'POST'],
    ['PUT', '/api/connections', 'GET, HEAD'],
    ['PATCH', '/api/connections/beach', 'GET, HEAD, DELETE'],
  ])('answers %s %s with 405 and Allow: %s', async (method, path, allow) => {
    const answer = await service.api(path, { method })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('Allow')).toBe(allow)
    if (method !== 'HEAD') expect((await answer.json()).code).toBe('method_not_allowed')
    expect(service.dynamo.requests).toEqual([])
  })

  it.each(['/', '/nothing', '/oauth', '/api/nothing', '/api/token/a/b/c'])('answers 404 at %s', async (path) => {
    const answer = await service.api(path)
    expect(answer.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json')
    expect(await problem(answer)).toEqual({ status: 404, code: 'not_found' })
  })
})

describe('a table out of reach', () => {
  it.each([
    ['hangs', { kind: 'hang' } as const],
    ['fails', { kind: 'error', status: 500, type: 'InternalServerError' } as const],
    ['cuts connections', { kind: 'cut before' } as const],
  ])('that %s is said with 503 and Retry-After on every route', async (_, fault) => {
    service.dynamo.fault(fault)
    const answers = await Promise.all([
      service.fetch('/oauth/start/beach'),
      service.fetch('/oauth/callback?code=a&state=beach:AAAAAAAAAAAAAAAAAAAAAA'),
      service.api('/api/token/beach'),
      service.api('/api/token/beach/refresh', { method: 'POST' }),
      service.api('/api/connections/beach'),
    ])
    for (const answer of answers) {
      expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0)
      expect(await problem(answer)).toEqual({ status: 503, code: 'storage_unavailable' })
    }
    expect((await service.fetch('/health')).status).toBe(200)
  })

  it('bears lost answers at every step of connecting and refreshing', async () => {
    const key = freshKey()
    service.dynamo.fault({ kind: 'cut after', times: 2 })
    const path = await service.consented(key)
    service.dynamo.fault({ kind: 'cut after', operation: 'UpdateItem', times: 1 })
    service.dynamo.fault({
      kind: 'cut after',
      operation: 'UpdateItem',
      times: 1,
      when: ({ body }) => JSON.stringify(body).includes('realm_id'),
    })
    expect((await service.fetch(path)).status).toBe(200)
    expect(await stored(key)).toMatchObject({ generation: { N: '1' } })
    await expire(key)
    service.dynamo.fault({ kind: 'cut after', operation: 'UpdateItem', times: 1 })
    service.dynamo.fault({
      kind: 'cut after',
      operation: 'UpdateItem',
      times: 1,
      when: ({ body }) => JSON.stringify(body).includes('written_by'),
    })
    expect((await service.api(`/api/token/${key}`)).status).toBe(200)
    expect(await stored(key)).toMatchObject({ generation: { N: '2' } })
    expect((await service.intuit.state()).counts).toMatchObject({ exchange: 1, refresh: 1 })
  })

  it('hands out a pair that it could only park, and finds it again once the table is back', async () => {
    const key = freshKey()
    await service.connect(key)
    await service.intuit.turn({ rotateAfterSeconds: 0, reuseKills: true })
    await expire(key)
    service.dynamo.fault({
      ...{ kind: 'error' as const, status: 500, type: 'InternalServerError', operation: 'UpdateItem' },
      when: ({ body }) => JSON.stringify(body).includes('written_by'),
    })
    const answer = await service.api(`/api/token/${key}`)
    expect(answer.status).toBe(200)
    const { access_token } = await answer.json()
    expect(await stored(key)).toMatchObject({ generation: { N: '1' } })
    expect(service.logs()).toContain('"event":"pair_write_failed"')
    service.dynamo.heal()
    await expect.poll(() => stored(key), { timeout: 20_000 }).toMatchObject({ generation: { N: '2' } })
    expect((await (await service.api(`/api/token/${key}`)).json()).access_token).toBe(access_token)
    expect((await service.intuit.state()).counts.refresh).toBe(1)
  })

  it('keeps trying to store the tokens of a callback, and gives a new start link meanwhile', async () => {
    const key = freshKey()
    const path = await service.consented(key, { companyName: 'Beach Blend' })
    service.dynamo.fault({
      ...{ kind: 'error' as const, status: 500, type: 'InternalServerError', operation: 'UpdateItem' },
      when: ({ body }) => JSON.stringify(body).includes('written_by'),
    })
    const answer = await service.fetch(path)
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({
      code: 'storage_unavailable',
      start_url: `http://localhost:8787/oauth/start/${key}?company_name=Beach+Blend`,
    })
    service.dynamo.heal()
    await expect.poll(() => stored(key), { timeout: 20_000 }).toMatchObject({ generation: { N: '1' } })
    expect((await service.intuit.state()).counts.exchange).toBe(1)
  })

  it('answers the token that is still valid inside the margin while the table takes no claim', async () => {
    const key = freshKey()
    await service.connect(key)
    await alter(key, { access_token_expires_at: now() + 120, last_refresh_at: now() - 600 })
    service.dynamo.fault({ kind: 'error', status: 500, type: 'InternalServerError', operation: 'UpdateItem' })
    expect((await service.api(`/api/token/${key}`)).status).toBe(200)
    const forced = await service.api(`/api/token/${key}/refresh`, { method: 'POST' })
    expect(await problem(forced)).toEqual({ status: 503, code: 'storage_unavailable' })
    expect((await service.intuit.state()).counts.refresh).toBe(0)
  })

  it('says what the operator has to do where the table is not there', async () => {
    service.dynamo.fault({ kind: 'error', status: 400, type: 'ResourceNotFoundException' })
    const answer = await service.api('/api/token/beach')
    expect(await answer.clone().json()).toMatchObject({ detail: expect.stringContaining('DYNAMODB_TABLE') })
    expect(await problem(answer)).toEqual({ status: 500, code: 'configuration_error' })
  })

  it('shows nothing of an unexpected error to the caller, and logs it', async () => {
    service.dynamo.fault({ kind: 'error', status: 400, type: 'ValidationException' })
    const answer = await service.api('/api/token/beach')
    const id = answer.headers.get('X-Request-Id') ?? ''
    expect(await answer.text()).not.toContain('Validation')
    expect(answer.status).toBe(500)
    await expect.poll(() => service.logs()).toContain(id)
  })
})
