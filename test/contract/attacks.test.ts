import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { closeServer, LOOPBACK, listen } from '../../dev/listen.ts'
import { createBrowser } from '../support/browser.ts'
import { freshKey, sha256 } from '../support/fixtures.ts'
import { rawRequest } from '../support/raw-request.ts'
import { type Service, startService } from '../support/worker-harness.ts'

/** Attacks that no other test tries; `SECURITY.md` lists them all. */

const marked = (what: string) => `MARKED-${what}-${randomBytes(9).toString('base64url')}`
const named = (key: string, may: string[], companies = ['*']) => ({
  ...{ name: 'attacker', sha256: sha256(key), may, companies },
})
const READER = marked('reader')
const WRITER = marked('writer')
const API_KEYS = JSON.stringify([
  named(READER, ['token:read', 'token:refresh', 'connection:read']),
  named(WRITER, ['connection:write'], ['mine-*']),
])
const START_LINK_KEYS = `links:${randomBytes(32).toString('base64')}`

const problem = async (answer: Response) => ({ status: answer.status, code: (await answer.json()).code })
const FORBIDDEN = { status: 403, code: 'forbidden' }

let service: Service
/** Stands where an attacker would like to be called. */
let canary: { url: string; hits: string[]; close(): Promise<void> }
beforeAll(async () => {
  service = await startService({ vars: { API_KEYS, START_LINK_KEYS, BIND_BROWSER: 'true' } })
  const hits: string[] = []
  const server = createServer((incoming, response) => {
    hits.push(incoming.url ?? '')
    response.end('{}')
  })
  const port = await listen(server)
  canary = { url: `http://${LOOPBACK}:${port}`, hits, close: () => closeServer(server) }
})
afterAll(() => Promise.all([service.close(), canary.close()]))
beforeEach(async () => {
  service.dynamo.heal()
  await service.intuit.reset()
  canary.hits.length = 0
  service.dynamo.requests.length = 0
})

const connect = async (key: string) => {
  expect((await createBrowser(service).connect(`/oauth/start/${key}`)).status).toBe(200)
}

/** A request as a program may send one that `fetch` would mend. */
const raw = (method: string, path: string, headers: Record<string, string> = {}) =>
  rawRequest(service.url, method, path, headers)

describe('where the service leads and what it calls', () => {
  it('is not steered by forwarding headers', async () => {
    const poison = { 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example' }
    const started = await raw('GET', '/oauth/start/beach', poison)
    expect(new URL(started.headers.location ?? '').searchParams.get('redirect_uri')).toBe(
      'http://localhost:8787/oauth/callback',
    )
    expect(JSON.stringify(started)).not.toContain('evil.example')
    const link = await raw('POST', '/api/connections/beach/start-links', { ...poison, 'X-API-Key': service.apiKey })
    expect(JSON.parse(link.body).url).toMatch(/^http:\/\/localhost:8787\/oauth\/start\/beach\?/)
  })

  it('is not steered by parameters named like its settings', async () => {
    const query = ['redirect_uri', 'token_endpoint', 'authorization_endpoint', 'iss', 'next', 'return_to', 'endpoint']
      .map((name) => `${name}=${encodeURIComponent(canary.url)}`)
      .join('&')
    const answer = await service.fetch(`/oauth/start/beach?${query}`)
    expect(answer.headers.get('Location')).not.toContain(encodeURIComponent(canary.url))
    const browser = createBrowser(service)
    const path = await browser.consented(`/oauth/start/${freshKey()}`)
    expect((await browser.open(`${path}&${query}`)).status).toBe(200)
    expect(canary.hits).toEqual([])
  })

  it.each([301, 302, 307, 308])(
    'carries no code, token or secret after a redirect of Intuit’s (%i)',
    async (status) => {
      const key = freshKey()
      await connect(key)
      const fault = { kind: 'status', status, headers: { Location: `${canary.url}/stolen` } }
      await service.intuit.fault({ endpoint: 'token', fault })
      expect(await problem(await service.api(`/api/token/${key}/refresh`, { method: 'POST' }))).toEqual({
        ...{ status: 502, code: 'intuit_unavailable' },
      })
      const browser = createBrowser(service)
      const path = await browser.consented(`/oauth/start/${freshKey()}`)
      await service.intuit.fault({ endpoint: 'token', fault })
      expect((await browser.open(path)).status).toBe(502)
      await service.intuit.fault({ endpoint: 'revoke', fault })
      expect((await service.api(`/api/connections/${key}`, { method: 'DELETE' })).status).toBe(200)
      expect(canary.hits).toEqual([])
    },
  )
})

describe('ways around the API key', () => {
  it.each([
    '/api/token/beach',
    '//api/token/beach',
    '/api//token/beach',
    '/./api/token/beach',
    '/oauth/../api/token/beach',
    '/oauth/start/..%2f..%2fapi/token/beach',
    '/API/token/beach',
    '/api/token/beach/',
    '/api/token/beach;key',
    '/api%2ftoken/beach',
    '/api/token/beach%00',
    '/api/token/beach?',
  ])('by the spelling of a path lead nowhere: %s', async (path) => {
    const { status, body } = await raw('GET', path)
    expect([400, 401, 404]).toContain(status)
    expect(body).not.toContain('access_token')
    expect(service.dynamo.requests).toEqual([])
  })

  it('by a cookie, a body or another header lead nowhere', async () => {
    const { apiKey } = service
    const headers = { Cookie: `api_key=${apiKey}; X-API-Key=${apiKey}`, 'Api-Key': apiKey, Authorization: apiKey }
    expect((await service.fetch('/api/token/beach', { headers })).status).toBe(401)
    const body = new URLSearchParams({ api_key: apiKey })
    expect((await service.fetch('/api/token/beach/refresh', { method: 'POST', body })).status).toBe(401)
  })

  it.each(['X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method'])(
    'to other methods are closed: %s deletes nothing',
    async (header) => {
      const key = freshKey()
      await connect(key)
      await service.api(`/api/connections/${key}?_method=DELETE`, { headers: { [header]: 'DELETE' } })
      expect(await (await service.api(`/api/connections/${key}`)).json()).toMatchObject({ connected: true })
    },
  )

  it('are not opened by a key that may only read: no disconnect, no start link', async () => {
    const key = freshKey()
    await connect(key)
    const headers = { 'X-API-Key': READER }
    const attempts = [
      await service.fetch(`/api/connections/${key}`, { method: 'DELETE', headers }),
      await service.fetch(`/api/connections/${key}/start-links`, { method: 'POST', headers }),
    ]
    for (const answer of attempts) expect(await problem(answer)).toEqual(FORBIDDEN)
    expect(await (await service.api(`/api/connections/${key}`)).json()).toMatchObject({ connected: true })
  })

  it('are not opened by a key for other companies, connected or not', async () => {
    const key = freshKey()
    await connect(key)
    const headers = { 'X-API-Key': WRITER }
    service.dynamo.requests.length = 0
    for (const company of [key, 'nobody', 'mine']) {
      const answer = await service.fetch(`/api/connections/${company}`, { method: 'DELETE', headers })
      expect(await problem(answer)).toEqual(FORBIDDEN)
    }
    expect(service.dynamo.requests).toEqual([])
  })

  it('do not begin at the start link: its signature is no API key', async () => {
    const link = await service.api('/api/connections/beach/start-links', { method: 'POST' })
    const mac = new URL((await link.json()).url).searchParams.get('sig') ?? ''
    expect((await service.fetch('/api/token/beach', { headers: { 'X-API-Key': mac } })).status).toBe(401)
  })
})

describe('what a consent leaves behind', () => {
  it('puts neither the browser’s secret nor the signature of a link into log or table', async () => {
    const browser = createBrowser(service)
    const link = await service.api('/api/connections/beach/start-links', { method: 'POST' })
    const url = new URL((await link.json()).url)
    const path = await browser.consented(url.pathname + url.search)
    const secrets = [...browser.jar.values(), url.searchParams.get('sig') ?? '']
    expect(secrets.filter(Boolean)).toHaveLength(2)
    await browser.open(path)
    await expect.poll(() => service.logs()).toContain('/oauth/callback')
    const seen = service.logs() + JSON.stringify(await service.dynamo.all())
    for (const secret of secrets) expect(seen).not.toContain(secret)
  })

  it('is not reached by a cookie of the right name from another host, nor by one of many', async () => {
    const browser = createBrowser(service)
    const path = await browser.consented(`/oauth/start/${freshKey()}`)
    const [[name = '', secret = ''] = []] = [...browser.jar]
    const forged = [
      `${name.replace('__Host-', '')}=${secret}`,
      `${name}=x; ${name}=${secret}`,
      `${name}=${'x'.repeat(6000)}`,
    ]
    for (const cookie of forged) {
      const answer = await service.fetch(path, { headers: { Cookie: cookie } })
      expect(await problem(answer)).toEqual({ status: 400, code: 'invalid_state' })
    }
    expect((await browser.open(path)).status).toBe(200)
  })

  it('is not confused by names that objects inherit', async () => {
    const bodies = [
      '{"__proto__":{"company_name":"a"}}',
      '{"constructor":1}',
      '{"toString":1}',
      '{"expires_in":{"valueOf":60}}',
    ]
    for (const body of bodies) {
      const headers = { 'Content-Type': 'application/json' }
      const answer = await service.api('/api/connections/beach/start-links', { method: 'POST', body, headers })
      const made = answer.status === 201 ? new URL((await answer.json()).url) : undefined
      expect(made?.searchParams.get('company_name') ?? null).toBeNull()
      if (!made) expect(answer.status).toBe(400)
    }
    expect((await service.fetch('/oauth/start/__proto__')).status).toBe(400)
    expect((await service.fetch('/oauth/start/constructor')).status).toBe(302)
  })
})

describe('what is left', () => {
  it('a sealed value put back as it was before opens: the table’s keeper can bring back an older token', async () => {
    const key = freshKey()
    await connect(key)
    const item = async () => (await service.dynamo.item(`connection#${key}`)) ?? {}
    const before = await item()
    await service.api(`/api/token/${key}/refresh`, { method: 'POST' })
    const { access_token } = before
    if (!access_token) throw new Error('not connected')
    await service.dynamo.put({ ...(await item()), access_token })
    const answer = await service.api(`/api/token/${key}`, { headers: { 'Cache-Control': 'no-cache' } })
    expect(answer.status).toBe(200)
  })
})
