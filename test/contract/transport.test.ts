import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rawRequest } from '../support/raw-request.ts'
import { type Service, startService } from '../support/worker-harness.ts'

let service: Service
beforeAll(async () => {
  service = await startService()
  expect((await service.connect('beach')).status).toBe(200)
})
afterAll(() => service.close())

/** Plain http to the Worker, for any host. */
const raw = (method: string, path: string, headers: Record<string, string>) =>
  rawRequest(service.url, method, path, headers)

const OTHER_HOSTS = ['broker.example', '192.168.1.20', '10.0.0.1:8787', '127.0.0.1.nip.io', 'localhost.evil.example']

describe.each(OTHER_HOSTS)('a request by http for %s', (Host) => {
  it.each([
    ['GET', '/api/token/beach'],
    ['HEAD', '/api/token/beach'],
    ['POST', '/api/token/beach/refresh'],
    ['DELETE', '/api/connections/beach'],
    ['GET', '/api/connections'],
    ['GET', '/ready'],
    ['GET', '/api'],
  ])('does nothing with an API key: %s %s', async (method, path) => {
    const before = service.dynamo.requests.length
    for (const key of [service.apiKey, 'wrong']) {
      const { status, body } = await raw(method, path, { Host, 'X-API-Key': key })
      expect(status).toBe(403)
      if (method !== 'HEAD') expect(JSON.parse(body).code).toBe('forbidden')
    }
    expect(service.dynamo.requests.length).toBe(before)
  })

  it.each(['/oauth/start/beach?company_name=Beach', '/oauth/callback?code=a&state=b', '/health', '/nothing'])(
    'leads a person to https: %s',
    async (path) => {
      const before = service.dynamo.requests.length
      const { status, headers } = await raw('GET', path, { Host })
      expect(status).toBe(308)
      expect(headers.location).toBe(`https://${Host}${path}`)
      expect(service.dynamo.requests.length).toBe(before)
    },
  )

  it('is rejected if it posts to a page', async () => {
    expect((await raw('POST', '/oauth/start/beach', { Host })).status).toBe(403)
  })
})

describe.each(['localhost', 'localhost:8787', '127.0.0.1', '127.0.0.2:80', '[::1]', '[::1]:8787'])(
  'a request by http for %s, which is this machine',
  (Host) => {
    it('is served', async () => {
      expect((await raw('GET', '/health', { Host })).status).toBe(200)
      expect((await raw('GET', '/api/token/beach', { Host, 'X-API-Key': service.apiKey })).status).toBe(200)
      expect((await raw('GET', '/oauth/start/beach', { Host })).status).toBe(302)
    })
  },
)

it('Strict-Transport-Security covers subdomains, on every kind of response', async () => {
  const responses = await Promise.all([
    service.fetch('/health'),
    service.fetch('/oauth/start/beach'),
    service.api('/api/token/beach'),
    service.fetch('/api/token/beach'),
    service.fetch('/nothing'),
    service.fetch('/oauth/failed'),
  ])
  for (const { headers } of responses) {
    expect(headers.get('Strict-Transport-Security')).toBe('max-age=31536000; includeSubDomains')
  }
})
