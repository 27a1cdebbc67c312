import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../support/fixtures.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const entry = (secret: string, may: string[], companies: string[], over: Record<string, string> = {}) => ({
  ...{ name: secret, sha256: sha256(secret), may, companies },
  ...over,
})
const API_KEYS = JSON.stringify([
  entry('reader', ['token:read'], ['beach*']),
  entry('refresher', ['token:refresh'], ['beach']),
  entry('clerk', ['connection:read'], ['*']),
  entry('former', ['token:read'], ['*'], { expires: '2026-01-01' }),
])

let service: Service
beforeAll(async () => {
  service = await startService({ vars: { API_KEYS } })
  for (const key of ['beach', 'other']) expect((await service.connect(key)).status).toBe(200)
})
afterAll(() => service.close())
beforeEach(() => {
  service.dynamo.requests.length = 0
})

const call = (key: string, request: string, at: Pick<Service, 'fetch'> = service) => {
  const [method = '', path = ''] = request.split(' ')
  return at.fetch(path, { method, headers: { 'X-API-Key': key } })
}
const problem = async (answer: Response) => ({ status: answer.status, code: (await answer.json()).code })
const FORBIDDEN = { status: 403, code: 'forbidden' }

describe('a named key', () => {
  it.each([
    ['reader', 'GET /api/token/beach'],
    ['refresher', 'POST /api/token/beach/refresh'],
    ['clerk', 'GET /api/connections/beach'],
    ['clerk', 'GET /api/connections/other'],
    ['clerk', 'GET /api/connections'],
  ])('of the %s may %s', async (key, request) => {
    expect((await call(key, request)).status).toBe(200)
  })

  it.each([
    ['reader', 'POST /api/token/beach/refresh'],
    ['reader', 'GET /api/connections/beach'],
    ['reader', 'GET /api/connections'],
    ['reader', 'GET /api/token/other'],
    ['reader', 'HEAD /api/token/other'],
    ['refresher', 'GET /api/token/beach'],
    ['refresher', 'POST /api/token/other/refresh'],
    ['refresher', 'POST /api/token/beach-2/refresh'],
    ['clerk', 'GET /api/token/beach'],
    ['clerk', 'POST /api/token/beach/refresh'],
  ])('of the %s may not %s, and the table is not asked', async (key, request) => {
    const answer = await call(key, request)
    expect(answer.status).toBe(403)
    if (!request.startsWith('HEAD')) expect(await problem(answer)).toEqual(FORBIDDEN)
    expect(service.dynamo.requests).toEqual([])
  })

  it('gets the same response for a company that is connected and one that is not', async () => {
    const bodies = await Promise.all(
      ['other', 'unheard-of'].map(async (company) =>
        (await call('refresher', `POST /api/token/${company}/refresh`)).text(),
      ),
    )
    expect(bodies[0]).toBe(bodies[1])
  })

  it('that has expired is a wrong key', async () => {
    expect(await problem(await call('former', 'GET /api/token/beach'))).toEqual({
      status: 401,
      code: 'invalid_api_key',
    })
  })

  it('gets errors for malformed company keys, unknown paths and wrong methods', async () => {
    expect(await problem(await call('reader', 'GET /api/token/-bad'))).toEqual({
      status: 400,
      code: 'invalid_company_key',
    })
    expect((await call('reader', 'GET /api/nothing')).status).toBe(404)
    expect((await call('reader', 'PUT /api/token/other')).status).toBe(405)
  })

  it('leaves the shared key its full rights', async () => {
    for (const request of ['GET /api/token/other', 'POST /api/token/other/refresh', 'GET /api/connections/other']) {
      expect((await call(service.apiKey, request)).status).toBe(200)
    }
  })

  it.each(['', 'wrong', 'x'.repeat(12_000), '%00', sha256('reader'), 'reader '.repeat(2)])(
    'is not %j, and nothing else is looked at before',
    async (key) => {
      for (const request of [
        'GET /api/token/beach',
        'GET /api/token/-bad',
        'PUT /api/connections',
        'GET /api/nothing',
      ]) {
        expect(await problem(await call(key, request))).toEqual({ status: 401, code: 'invalid_api_key' })
      }
      expect(service.dynamo.requests).toEqual([])
    },
  )
})

describe('a deployment', () => {
  it('needs no shared key where there are named ones', async () => {
    const other = await startService({ vars: { API_KEYS, API_KEY: undefined } })
    expect((await call('clerk', 'GET /api/connections', other)).status).toBe(200)
    expect((await call('', 'GET /api/connections', other)).status).toBe(401)
    await other.close()
  })

  it('can refuse keys in the query', async () => {
    const other = await startService({ vars: { API_KEYS, API_KEY_IN_QUERY: 'false' } })
    const answer = await other.fetch('/api/connections?api_key=clerk')
    expect(await answer.clone().json()).toMatchObject({ detail: 'Send a valid API key in the header X-API-Key.' })
    expect(await problem(answer)).toEqual({ status: 401, code: 'invalid_api_key' })
    expect((await call('clerk', 'GET /api/connections?api_key=clerk', other)).status).toBe(200)
    await other.close()
  })

  it('with malformed keys says where, to everybody alike, and shows no value', async () => {
    const other = await startService({ vars: { API_KEYS: '[{"name": "marked"}]' } })
    for (const key of ['', 'wrong', other.apiKey]) {
      const answer = await call(key, 'GET /api/connections', other)
      const { detail } = await answer.clone().json()
      expect(detail).toContain('API_KEYS.0.sha256 is missing')
      expect(detail).not.toContain('marked')
      expect(await problem(answer)).toEqual({ status: 500, code: 'configuration_error' })
    }
    expect((await other.fetch('/health')).status).toBe(200)
    await other.close()
  })
})
