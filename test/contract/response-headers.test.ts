import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Service, startService } from '../support/worker-harness.ts'

let service: Service
beforeAll(async () => {
  service = await startService()
  expect((await service.connect('beach')).status).toBe(200)
})
afterAll(() => service.close())

const ANSWERS: [string, string, RequestInit][] = [
  ['/health', '200', {}],
  ['/oauth/start/beach', '302', {}],
  ['/oauth/start/-bad', '400', {}],
  ['/oauth/callback?code=a&state=a', '400', {}],
  ['/oauth/callback?code=a&state=a', '400', { headers: { Accept: 'text/html' } }],
  ['/oauth/callback', '405', { method: 'HEAD' }],
  ['/api/token/beach', '200', {}],
  ['/api/token/beach', '200', { method: 'HEAD' }],
  ['/api/token/beach/refresh', '200', { method: 'POST' }],
  ['/api/token/unknown', '404', {}],
  ['/api/connections', '200', {}],
  ['/api/connections/beach', '200', {}],
  ['/api/token/beach', '401', { headers: { 'X-API-Key': 'wrong' } }],
  ['/api/token/beach', '405', { method: 'PUT' }],
  ['/nothing', '404', {}],
]
const call = (path: string, init: RequestInit) => {
  const headers = new Headers({ 'X-API-Key': service.apiKey })
  for (const [name, value] of new Headers(init.headers)) headers.set(name, value)
  return service.fetch(path, { ...init, headers })
}

describe('every answer', () => {
  it.each(ANSWERS)('of %s with %s keeps itself to itself', async (path, status, init) => {
    const answer = await call(path, init)
    expect(String(answer.status)).toBe(status)
    const headers = Object.fromEntries(answer.headers)
    expect(headers).toMatchObject({
      'cache-control': expect.stringContaining('no-store'),
      'content-security-policy': expect.stringMatching(/^default-src 'none'.*frame-ancestors 'none'/),
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': expect.stringMatching(/^max-age=\d{8}/),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(headers['content-security-policy']).not.toMatch(/script-src|unsafe-eval/)
    for (const name of ['server', 'x-powered-by', 'via']) expect(headers).not.toHaveProperty(name)
  })

  it.each(ANSWERS)(
    'of %s with %s sets no cookie, but for the page that follows the callback',
    async (path, _, init) => {
      for (const cookie of (await call(path, init)).headers.getSetCookie()) {
        expect(path).toMatch(/^\/oauth\/callback/)
        expect(cookie).toMatch(/^__Host-.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
      }
    },
  )

  it.each(ANSWERS)('of %s with %s is for no other origin', async (path, status, init) => {
    const headers = { ...Object.fromEntries(new Headers(init.headers)), Origin: 'https://evil.example' }
    const answer = await call(path, { ...init, headers })
    expect(String(answer.status)).toBe(status)
    for (const name of answer.headers.keys()) expect(name).not.toMatch(/^access-control-/)
  })

  it('to a preflight is no', async () => {
    const headers = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'GET' }
    for (const path of ['/api/token/beach', '/health', '/oauth/start/beach']) {
      const answer = await service.fetch(path, { method: 'OPTIONS', headers })
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull()
    }
  })

  it('that redirects goes to the configured authorization endpoint, whatever is asked for', async () => {
    const asked = 'redirect_uri=https://evil.example&next=//evil.example&company_name=https://evil.example'
    const headers = { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example' }
    const answer = await service.fetch(`/oauth/start/beach?${asked}`, { headers })
    const location = answer.headers.get('Location') ?? ''
    expect(location.startsWith(`${service.intuit.url}/connect/oauth2?`)).toBe(true)
    expect(location).not.toContain('evil')
  })
})

describe('a body that nobody asked for', () => {
  it.each([
    ['POST', '/api/token/beach/refresh', '200'],
    ['POST', '/api/token/beach', '405'],
    ['PUT', '/oauth/start/beach', '405'],
    ['DELETE', '/health', '405'],
  ])('is not read: %s %s', async (method, path, status) => {
    const bodies = ['x'.repeat(50_000), '{"company_key":"other"}', '\u0000', 'company_key=other&api_key=wrong']
    for (const body of bodies) {
      const answer = await call(path, { method, body })
      expect(String(answer.status)).toBe(status)
      await answer.text()
    }
  })
})
