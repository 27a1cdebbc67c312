import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startWorker } from '../../dev/worker.ts'
import { readConfig } from '../../src/config/config.ts'
import { createTokenVault } from '../../src/crypto/token-vault.ts'
import { PAGES } from '../../src/routes/pages.ts'
import { sha256 } from '../support/fixtures.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const marked = (what: string) => `MARKED-${what}-${randomBytes(9).toString('base64url')}`

const LIMITED_KEY = marked('limited-key')
const EXPIRED_KEY = marked('expired-key')
const entry = (key: string, over: object) => ({
  name: 'limited',
  sha256: sha256(key),
  may: ['token:read'],
  companies: ['other'],
  ...over,
})
const ENCRYPTION_KEY = Buffer.from('MARKED'.padEnd(32, 'k')).toString('base64')
const VARS = {
  API_KEY: marked('api-key'),
  API_KEYS: JSON.stringify([entry(LIMITED_KEY, {}), entry(EXPIRED_KEY, { name: 'former', expires: '2026-01-01' })]),
  AWS_ACCESS_KEY_ID: marked('access-key-id'),
  AWS_SECRET_ACCESS_KEY: marked('aws-secret'),
  AWS_SESSION_TOKEN: marked('aws-session'),
  TOKEN_ENCRYPTION_KEYS: `test:${ENCRYPTION_KEY}`,
}
/** What a caller sends that must not come back: in every place of a request. */
const SENT = {
  code: marked('code'),
  nonce: marked('nonce'),
  key: marked('wrong-key'),
  query: marked('query'),
  header: marked('header'),
  body: marked('body'),
  error: marked('error'),
}

let service: Service
/** Every answer as text, without what its caller is entitled to. */
const answers: string[] = []
let requests = 0
/** Codes and states as Intuit and the service made them, and all tokens that there ever were. */
const issued = new Set<string>()

const vault = createTokenVault(
  () => readConfig(VARS).encryptionKeys(),
  () => undefined,
)
const items = () => service.dynamo.all()
/** Opens every token of the table, so that all that follow are searched for it. */
const noteTokens = async () => {
  for (const item of await items()) {
    for (const name of ['access_token', 'refresh_token'] as const) {
      const stored = item[name]?.S
      const token = stored && (await vault.decrypt(item['company_key']?.S ?? '', name, stored).catch(() => undefined))
      if (token) issued.add(token)
    }
  }
}

const HEADERS = {
  Authorization: `Bearer ${SENT.header}`,
  Cookie: `session=${SENT.header}`,
  Referer: `https://x.example/${SENT.header}`,
}

const observe = async (path: string, init: RequestInit = {}, origin = service.url) => {
  const headers = new Headers({ ...HEADERS, ...Object.fromEntries(new Headers(init.headers)) })
  const answer = await fetch(new URL(path, origin), { redirect: 'manual', ...init, headers })
  requests++
  const body = await answer.text()
  // The caller may have the access token, and the browser the state that it has to bring back.
  const token =
    answer.status === 200 && path.startsWith('/api/token/') ? String(JSON.parse(body || '{}').access_token) : ''
  const location = new URL(answer.headers.get('Location') ?? 'http://nowhere')
  const state = location.searchParams.get('state') ?? ''
  if (token) issued.add(token)
  if (state) for (const part of [state, state.split(':')[1] ?? '']) issued.add(part)
  location.searchParams.delete('state')
  const shown = [...answer.headers].filter(([name]) => name !== 'location').flat()
  answers.push(
    [init.method ?? 'GET', answer.status, shown.join(' '), location.href, token ? body.replace(token, '') : body].join(
      '\n',
    ),
  )
  return { status: answer.status, body, code: /"code":"(\w+)"/.exec(body)?.[1] }
}
const api = (path: string, init: RequestInit = {}) =>
  observe(path, {
    ...init,
    headers: {
      'Cache-Control': 'no-cache',
      ...Object.fromEntries(new Headers(init.headers)),
      'X-API-Key': VARS.API_KEY,
    },
  })

const consented = async (key: string, realmId?: string) => {
  await observe(`/oauth/start/${key}`)
  const path = await service.consented(key, realmId === undefined ? {} : { realmId })
  requests++
  const { searchParams } = new URL(path, service.url)
  for (const name of ['code', 'state']) issued.add(searchParams.get(name) ?? '')
  issued.add((searchParams.get('state') ?? '').split(':')[1] ?? '')
  return path
}
const connect = async (key: string, realmId?: string) => {
  expect((await observe(await consented(key, realmId))).status).toBe(200)
  await noteTokens()
}
beforeAll(async () => {
  service = await startService({ vars: VARS })
  for (const key of ['beach', 'beach-sandbox']) await connect(key)
})
afterAll(() => service.close())

const expire = async (key: string) => {
  const item = (await service.dynamo.item(`connection#${key}`)) ?? {}
  for (const name of ['retry_at', 'failed_at', 'failure_code', 'lease_owner', 'lease_until', 'lapsed_owner'])
    delete item[name]
  await service.dynamo.put({ ...item, access_token_expires_at: { N: '1' } })
}

const secrets = () => {
  const { production, sandbox } = service.pairs
  const basic = [production, sandbox].map(({ clientId, clientSecret }) =>
    Buffer.from(`${clientId}:${clientSecret}`).toString('base64'),
  )
  const all = [
    ...[VARS.API_KEY, VARS.AWS_ACCESS_KEY_ID, VARS.AWS_SECRET_ACCESS_KEY, VARS.AWS_SESSION_TOKEN, ENCRYPTION_KEY],
    ...[LIMITED_KEY, EXPIRED_KEY, production.clientSecret, sandbox.clientSecret, ...basic],
    ...Object.values(SENT),
    ...issued,
  ].filter(Boolean)
  return [...new Set(all.flatMap((one) => [one, encodeURIComponent(one), Buffer.from(one).toString('base64url')]))]
}
const foundIn = (text: string) => secrets().filter((secret) => text.includes(secret))

/** Searches all that there has been so far, so that it does not matter in which order the tests run. */
const expectNoLeak = async () => {
  await noteTokens()
  // One line for each request, and every line one event.
  await expect.poll(() => service.logs().split('"event":"request"').length - 1).toBe(requests)
  for (const line of service.logs().trim().split('\n')) expect(JSON.parse(line).event).toMatch(/^[a-z_]+$/)
  expect(foundIn(service.logs())).toEqual([])
  expect(service.logs()).not.toContain('MARKED')
  expect(answers.filter((answer) => foundIn(answer).length > 0)).toEqual([])

  const stored = await items()
  // Of a state the table holds the nonce, as its key.
  const texts = stored.map(({ pk, ...item }) => JSON.stringify(pk?.S?.startsWith('state#') ? item : { pk, ...item }))
  expect(texts.filter((text) => text.includes('MARKED') || foundIn(text).length > 0)).toEqual([])
  for (const item of stored) {
    for (const name of ['access_token', 'refresh_token', 'revocation_token']) {
      if (item[name]) expect(item[name]).toEqual({ S: expect.stringMatching(/^sealed:v1:eyJ/) })
    }
  }
}

describe('no secret is in an answer, a log or the table', () => {
  afterEach(expectNoLeak)

  it('whatever is asked for, with whatever key', async () => {
    const paths = [
      ...Object.keys(PAGES),
      '/console',
      ...['/health', '/', `/${SENT.query}`, '/oauth/start', '/oauth/start/-bad', '/oauth/callback', '/oauth', '/api'],
      ...[
        '/api/token/beach',
        '/api/token/unknown',
        '/api/token/-bad',
        '/api/token',
        '/api/connections',
        '/api/nothing',
      ],
      ...[
        '/api/token/beach/refresh',
        '/api/connections/beach',
        '/api/connections/unknown',
        `/api/token/${SENT.query}%00`,
      ],
    ]
    const query = `x=${SENT.query}&code=${SENT.code}&state=beach:${SENT.nonce}`
    const keys: Record<string, string>[] = [
      {},
      ...[SENT.key, LIMITED_KEY, EXPIRED_KEY, VARS.API_KEY].map((key) => ({ 'X-API-Key': key })),
    ]
    for (const path of paths) {
      for (const method of ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS']) {
        const body = method === 'POST' || method === 'PUT' ? { body: `token=${SENT.body}` } : {}
        for (const headers of keys) await observe(`${path}?${query}`, { method, headers, ...body })
        for (const key of [SENT.key, VARS.API_KEY]) await observe(`${path}?api_key=${key}`, { method, ...body })
      }
    }
    await observe(`/api/token/beach?api_key=${VARS.API_KEY}&api_key=${VARS.API_KEY}`)
    await api(`/api/token/beach?x=${SENT.query.repeat(400)}`)
    expect(answers.length).toBeGreaterThan(500)
  })

  it('whatever comes back from consent', async () => {
    const path = await consented('consent')
    const state = new URL(path, service.url).searchParams.get('state') ?? ''
    const html = { headers: { Accept: 'text/html' } }
    for (const init of [{}, html]) {
      await observe(`/oauth/callback?code=${SENT.code}&state=consent:${SENT.nonce}`, init)
      await observe(`/oauth/callback?code=${SENT.code}`, init)
      await observe(`/oauth/callback?code=${SENT.code}&code=${SENT.code}&state=${state}`, init)
      await observe(`/oauth/callback?code=${SENT.code}%00&state=${state}`, init)
      await observe(`/oauth/callback?code=${SENT.code}&state=${SENT.nonce}&realmId=${SENT.query}`, init)
    }
    expect((await observe(path, html)).status).toBe(200)
    expect((await observe(path, html)).code ?? 'a page').toMatch(/invalid_state|a page/)
    const refused = new URL(await consented('refused'), service.url).searchParams.get('state') ?? ''
    await observe(`/oauth/callback?error=${SENT.error}&state=${encodeURIComponent(refused)}`)
    const faults = [
      {
        kind: 'status',
        status: 400,
        body: JSON.stringify({ error: 'invalid_grant', error_description: SENT.body }),
        contentType: 'application/json',
      },
      {
        kind: 'status',
        status: 401,
        body: JSON.stringify({ error: 'invalid_client', error_description: SENT.body }),
        contentType: 'application/json',
      },
      { kind: 'status', status: 502, body: `<html>${SENT.body}</html>` },
      { kind: 'status', status: 200, body: `{"access_token":"${SENT.body}"`, contentType: 'application/json' },
      { kind: 'reset_before' },
    ]
    for (const fault of faults) {
      const back = await consented('failing')
      await service.intuit.fault({ endpoint: 'token', fault })
      expect((await observe(back)).status).toBe(502)
      await service.intuit.heal()
    }
  })

  it('however a refresh goes', async () => {
    await connect('refreshed', '4711')
    const faults = [
      { kind: 'status', status: 503, body: SENT.body },
      {
        kind: 'status',
        status: 401,
        body: `{"error":"invalid_client","x":"${SENT.body}"}`,
        contentType: 'application/json',
      },
      { kind: 'status', status: 200, body: `{"refresh_token":"${SENT.body}"}`, contentType: 'application/json' },
      { kind: 'reset_before' },
    ]
    for (const fault of faults) {
      await expire('refreshed')
      await service.intuit.fault({ endpoint: 'token', times: 3, fault })
      expect((await api('/api/token/refreshed')).status).toBe(502)
      await service.intuit.heal()
    }
    await expire('refreshed')
    expect((await api('/api/token/refreshed')).status).toBe(200)
    await noteTokens()
    const writes = { kind: 'error', status: 500, type: 'InternalServerError', operation: 'UpdateItem' } as const
    service.dynamo.fault({ ...writes, times: 5, when: ({ body }) => JSON.stringify(body).includes('written_by') })
    expect((await api('/api/token/refreshed/refresh', { method: 'POST' })).status).toBe(200)
    await expect.poll(() => service.logs()).toContain('pair_write_failed')
    service.dynamo.heal()
    await expect
      .poll(async () => (await service.dynamo.item('connection#refreshed'))?.['generation'])
      .toEqual({ N: '3' })
    await noteTokens()
    await expire('refreshed')
    await service.intuit.kill('4711')
    expect((await api('/api/token/refreshed')).code).toBe('reconnect_required')
  })

  it('however a link is asked for, and a connection ends', async () => {
    const links = '/api/connections/beach/start-links'
    const json = { 'Content-Type': 'application/json' }
    const bodies = ['', '{}', `{"${SENT.body}":1}`, `{"company_name":"${SENT.body}`, `{"expires_in":"${SENT.body}"}`]
    for (const body of bodies) await api(links, { method: 'POST', headers: json, body })
    await observe(links, { method: 'POST', headers: { ...json, 'X-API-Key': SENT.key }, body: '{}' })
    await observe(`/oauth/start/beach?exp=1&kid=${SENT.query}&sig=${SENT.nonce}`)
    for (const fault of [{ kind: 'status', status: 500, body: SENT.body }, { kind: 'reset_before' }, undefined]) {
      await connect('ending')
      if (fault) await service.intuit.fault({ endpoint: 'revoke', times: 4, fault })
      expect((await api('/api/connections/ending', { method: 'DELETE' })).status).toBe(200)
      await service.intuit.heal()
    }
    expect((await api('/api/connections/ending', { method: 'DELETE' })).status).toBe(200)
    expect((await api('/api/connections/unknown', { method: 'DELETE' })).status).toBe(404)
  })

  it('whatever ails the table', async () => {
    const said = { __type: 'com.amazon.coral.validate#ValidationException', message: SENT.body }
    const faults = [
      { kind: 'answer', status: 400, body: JSON.stringify(said) },
      { kind: 'answer', status: 400, body: JSON.stringify({ ...said, __type: `x#${SENT.body}` }) },
      { kind: 'answer', status: 500, body: SENT.body },
      { kind: 'error', status: 400, type: 'ResourceNotFoundException' },
      { kind: 'cut before' },
    ] as const
    for (const fault of faults) {
      service.dynamo.fault(fault)
      const codes = [
        await api('/api/token/beach'),
        await api('/api/connections/beach'),
        await observe('/oauth/start/beach'),
      ]
      for (const { status } of codes) expect(status).toBeGreaterThanOrEqual(500)
      await observe(`/oauth/callback?code=${SENT.code}&state=beach:${SENT.nonce}`)
      service.dynamo.heal()
    }
    await expect.poll(() => service.logs()).toContain('"event":"internal_error"')
  })

  it('when a sealed token does not open', async () => {
    await connect('damaged')
    const item = (await service.dynamo.item('connection#damaged')) ?? {}
    await service.dynamo.put({
      ...item,
      access_token: { S: `sealed:v1:${SENT.body}` },
      refresh_token: { S: `sealed:v1:${SENT.body}` },
    })
    expect((await api('/api/token/damaged')).code).toBe('sealed_token_unreadable')
    expect((await api('/api/token/damaged/refresh', { method: 'POST' })).code).toBe('sealed_token_unreadable')
    expect((await api('/api/connections/damaged')).status).toBe(200)
    // What the test itself wrote is no leak.
    await service.dynamo.remove('connection#damaged')
  })

  it('when every variable is malformed', async () => {
    let output = ''
    const nonsense = Object.fromEntries(Object.keys(service.vars).map((name) => [name, `${SENT.body} \n{}`]))
    const broken = await startWorker({
      vars: {
        ...nonsense,
        API_KEYS: `[{"name":"${SENT.body}","${SENT.query}":1}]`,
        TOKEN_REFRESH_MARGIN_SECONDS: SENT.body,
      },
      onOutput: (text) => {
        output += text
      },
    })
    const calls: [string, RequestInit][] = [
      ['/health', {}],
      ['/oauth/start/beach', {}],
      ['/oauth/start/sandbox', {}],
      ['/oauth/callback?code=a&state=beach:AAAAAAAAAAAAAAAAAAAAAA', {}],
      ['/api/token/beach', {}],
      ['/api/token/beach', { headers: { 'X-API-Key': SENT.key } }],
    ]
    const before = requests
    for (const [path, init] of calls) {
      const { status } = await observe(path, init, broken.url)
      expect(status).toBe(path === '/health' ? 200 : 500)
    }
    await expect.poll(() => output.split('"event":"request"').length - 1).toBe(calls.length)
    requests = before
    await broken.close()
    expect(foundIn(output)).toEqual([])
  })

  it('and the search finds what there is', async () => {
    await connect('searched')
    for (const secret of secrets()) expect(foundIn(`x${secret}x`)).toContain(secret)
    const token = [...issued].find((one) => one.startsWith('RT1-'))
    expect(foundIn(JSON.stringify({ refresh_token: token }))).toContain(token)
  })
})
