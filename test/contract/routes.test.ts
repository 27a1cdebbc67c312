import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RawResponse, rawRequest } from '../support/raw-request.ts'
import { type Service, startService } from '../support/worker-harness.ts'

let service: Service
beforeAll(async () => {
  service = await startService({ vars: { DYNAMODB_FLEET_INDEX: 'fleet' } })
})
afterAll(() => service.close())
beforeEach(() => {
  service.dynamo.requests.length = 0
})

/** A request as a program may send one whose path `fetch` would mend. */
const raw = (method: string, path: string, headers: Record<string, string> = {}) =>
  rawRequest(service.url, method, path, headers)
const toCode = ({ status, body }: RawResponse) => ({ status, code: JSON.parse(body).code })
const withKey = () => ({ 'X-API-Key': service.apiKey })

const TERMINATORS = ['%0A', '%0D', '%0D%0A', '%E2%80%A8', '%E2%80%A9', '%C2%85', '%0B', '%0C', '%00']
const OTHER_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

describe.each(TERMINATORS)('a company key with %s in it', (terminator) => {
  const keys = [
    `a${terminator}b`,
    `a${terminator}`,
    `${terminator}a`,
    terminator,
    `a${terminator}/b`,
    `a/${terminator}`,
  ]

  it('is 400 at start like any other wrong character, and its other methods are 405', async () => {
    for (const key of keys) {
      const path = `/oauth/start/${key}`
      const answer = await raw('GET', path)
      expect(toCode(answer), path).toEqual({ status: 400, code: 'invalid_company_key' })
      expect(answer.headers['x-request-id']).toMatch(/^[\w-]{36}$/)
      expect((await raw('HEAD', path)).status, path).toBe(405)
      for (const method of OTHER_METHODS) {
        const other = await raw(method, path)
        expect(toCode(other), `${method} ${path}`).toEqual({ status: 405, code: 'method_not_allowed' })
        expect(other.headers.allow).toBe('GET')
      }
    }
    expect(service.dynamo.requests).toEqual([])
  })

  it('is 400 under /api for a right key, 401 for a wrong one, 405 for a wrong method', async () => {
    const key = `a${terminator}b`
    for (const [method, path] of [
      ['GET', `/api/token/${key}`],
      ['HEAD', `/api/token/${key}`],
      ['POST', `/api/token/${key}/refresh`],
      ['GET', `/api/connections/${key}`],
      ['DELETE', `/api/connections/${key}`],
      ['GET', `/api/connections/${key}/status`],
      ['POST', `/api/connections/${key}/start-links`],
    ] as const) {
      const right = await raw(method, path, withKey())
      expect(right.status, `${method} ${path}`).toBe(400)
      if (method !== 'HEAD') expect(toCode(right).code).toBe('invalid_company_key')
      expect((await raw(method, path)).status).toBe(401)
      const wrong = await raw('PUT', path, withKey())
      expect(toCode(wrong), `PUT ${path}`).toEqual({ status: 405, code: 'method_not_allowed' })
      expect(wrong.headers.allow).toMatch(/GET|POST/)
    }
    expect(service.dynamo.requests).toEqual([])
  })

  it('is logged by the pattern of its route, and not by itself', async () => {
    const answer = await raw('GET', `/oauth/start/a${terminator}b`)
    const id = String(answer.headers['x-request-id'])
    const lines = () =>
      service
        .logs()
        .split('\n')
        .filter((line) => line.includes(id))
    await expect.poll(lines, { timeout: 20_000 }).toHaveLength(1)
    const line = JSON.parse(lines()[0] ?? '')
    expect(line).toMatchObject({ route: '/oauth/start/{company_key}', outcome: 'invalid_company_key' })
    expect(line).not.toHaveProperty('company_key')
  })

  it('makes a route of nothing else', async () => {
    for (const path of [`/health${terminator}`, `/oauth/callback${terminator}`, `/ready${terminator}`]) {
      expect(toCode(await raw('GET', path)), path).toEqual({ status: 404, code: 'not_found' })
    }
  })
})

describe('a slash at the end of a path', () => {
  it('of the callback is the callback: it finishes the consent, and leaves nothing in the address bar', async () => {
    const path = (await service.consented('slashed')).replace('/oauth/callback?', '/oauth/callback/?')
    const page = await raw('GET', path, { Accept: 'text/html' })
    expect({ status: page.status, refresh: page.headers['refresh'] }).toEqual({
      status: 200,
      refresh: '0; url=/oauth/connected',
    })
    expect((await service.api('/api/token/slashed')).status).toBe(200)
  })

  it('of a callback that fails goes on to the page of failures, with where to begin again', async () => {
    const page = await raw('GET', '/oauth/callback/?code=a&state=beach:AAAAAAAAAAAAAAAAAAAAAA', { Accept: 'text/html' })
    expect({ status: page.status, refresh: page.headers['refresh'] }).toEqual({
      status: 400,
      refresh: '0; url=/oauth/failed',
    })
    expect(page.body).toContain('href="/oauth/start/beach"')
  })

  it('of a callback changes nothing for other methods and prefetches', async () => {
    const path = await service.consented('prefetched')
    const slashed = path.replace('?', '/?')
    expect((await raw('HEAD', slashed)).status).toBe(405)
    for (const method of OTHER_METHODS) {
      const answer = await raw(method, slashed)
      expect([answer.status, answer.headers.allow]).toEqual([405, 'GET'])
    }
    expect((await raw('GET', slashed, { 'Sec-Purpose': 'prefetch' })).status).toBe(503)
    expect((await raw('GET', slashed)).status).toBe(200)
  })

  it.each([
    ['/health', 200],
    ['/ready', 200],
    ['/oauth/connected', 200],
    ['/oauth/failed', 200],
    ['/intuit/disconnected', 200],
    ['/intuit/reconnect', 200],
    ['/oauth/start', 400],
    ['/api/connections', 401],
    ['/api/token/beach', 401],
    ['/nothing', 404],
  ])('of %s changes nothing: %i', async (path, status) => {
    expect((await raw('GET', path)).status).toBe(status)
    expect((await raw('GET', `${path}/`)).status).toBe(status)
    expect((await raw('PUT', `${path}/`)).status).toBe((await raw('PUT', path)).status)
  })

  it('of a start link belongs to the company key, which has none', async () => {
    expect(toCode(await raw('GET', '/oauth/start/beach/'))).toEqual({ status: 400, code: 'invalid_company_key' })
  })

  it.each(['/oauth/callback//', '//oauth/callback', '/oauth//callback', '/oauth/callback%2F', '/health//'])(
    'more than one, or one elsewhere, is another path: %s',
    async (path) => {
      expect((await raw('GET', path)).status).toBe(404)
    },
  )
})

describe('an over-long query', () => {
  const LONG = `x=${'x'.repeat(5000)}`

  it.each(['/oauth/start/beach', '/oauth/callback', '/oauth/callback/'])(
    'of %s is refused before it is read',
    async (path) => {
      const answer = await raw('GET', `${path}?${LONG}&realmId=1&state=beach:AAAAAAAAAAAAAAAAAAAAAA`)
      expect(toCode(answer)).toEqual({ status: 400, code: 'invalid_request' })
      expect(service.dynamo.requests).toEqual([])
    },
  )

  it.each([
    ['GET', '/api/token/beach'],
    ['POST', '/api/token/beach/refresh'],
    ['GET', '/api/connections'],
    ['GET', '/api/connections/summary'],
    ['GET', '/api/connections/beach'],
    ['DELETE', '/api/connections/beach'],
    ['GET', '/api/connections/beach/status'],
    ['POST', '/api/connections/beach/start-links'],
  ])('of %s %s has no key in it, and is refused to whoever has one in the header', async (method, path) => {
    const query = `${LONG}&api_key=${service.apiKey}`
    expect((await raw(method, `${path}?${query}`)).status).toBe(401)
    expect((await raw(method, `${path}?${query}`, { 'X-API-Key': 'wrong' })).status).toBe(401)
    const right = await raw(method, `${path}?${query}`, withKey())
    expect(toCode(right)).toEqual({ status: 400, code: 'invalid_request' })
    expect(service.dynamo.requests).toEqual([])
  })

  it.each([...['/health', '/ready', '/oauth/connected', '/oauth/failed', '/intuit/disconnected', '/intuit/reconnect']])(
    'of %s, which needs none, is not read',
    async (path) => {
      await service.api('/ready')
      service.dynamo.requests.length = 0
      expect((await raw('GET', `${path}?${LONG}&realmId=1`)).status).toBe(200)
      expect((await raw('GET', `${path}?realmId=1&realmId=2&${LONG}`)).status).toBe(200)
      expect(service.dynamo.requests).toEqual([])
    },
  )

  it('is not put on a page, nor kept for the next one', async () => {
    const page = await raw('GET', `/oauth/callback?state=beach:AAAAAAAAAAAAAAAAAAAAAA&${LONG}`, { Accept: 'text/html' })
    expect(page.status).toBe(400)
    expect(page.body).not.toContain('xxx')
    expect(String(page.headers['set-cookie'])).not.toContain('xxx')
  })
})

describe('an over-long key', () => {
  it('is wrong', async () => {
    expect((await raw('GET', '/api/connections', { 'X-API-Key': 'k'.repeat(9000) })).status).toBe(401)
  })
})
