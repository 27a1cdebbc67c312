import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Service, startService } from '../support/worker-harness.ts'

let service: Service
beforeAll(async () => {
  service = await startService()
})
afterAll(() => service.close())

/** The one line that a call leaves. */
const readLine = async (call: () => Promise<Response>) => {
  const answer = await call()
  const id = answer.headers.get('X-Request-Id') ?? ''
  const mine = () =>
    service
      .logs()
      .split('\n')
      .filter((line) => line.includes(id))
  await expect.poll(mine).toHaveLength(1)
  const line = JSON.parse(mine()[0] ?? '')
  expect(line).toMatchObject({ event: 'request', status: answer.status, request_id: id, ms: expect.any(Number) })
  return line
}

describe('the line of a request', () => {
  it('has route, company, key and outcome', async () => {
    await service.connect('beach')
    expect(await readLine(() => service.api('/api/token/beach?min_ttl=60'))).toEqual({
      ...{ event: 'request', route: '/api/token/{company_key}', method: 'GET', status: 200, ms: expect.any(Number) },
      ...{ request_id: expect.any(String), key_name: 'API_KEY', company_key: 'beach', outcome: 'ok' },
      source: 'table',
    })
  })

  it('has the company of a callback if its state is valid', async () => {
    const path = await service.consented('beach-2')
    expect(await readLine(() => service.fetch(path))).toMatchObject({
      route: '/oauth/callback',
      company_key: 'beach-2',
    })
    const replay = await readLine(() => service.fetch(path))
    expect(replay).toMatchObject({ outcome: 'invalid_state' })
    expect(replay).not.toHaveProperty('company_key')
  })

  it.each([
    ['/oauth/start/-bad', { route: '/oauth/start/{company_key}', outcome: 'invalid_company_key' }],
    ['/oauth/start/', { route: '/oauth/start', outcome: 'invalid_company_key' }],
    ['/api/token/beach/refresh', { route: '/api/token/{company_key}/refresh', outcome: 'invalid_api_key' }],
    ['/api/nothing', { route: '/api/*', outcome: 'invalid_api_key' }],
    ['/nothing/at/all', { route: '/*', outcome: 'not_found' }],
  ])('of %s tells the pattern and not the path', async (path, expected) => {
    const line = await readLine(() => service.fetch(path))
    expect(line).toMatchObject(expected)
    for (const name of ['company_key', 'key_name', 'key_in_query']) expect(line).not.toHaveProperty(name)
  })

  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
  ])('has the network of a denied client, and not its address: %s', async (address, network) => {
    const call = (key: string) => () =>
      service.fetch('/api/connections', { headers: { 'CF-Connecting-IP': address, 'X-API-Key': key } })
    const denied = await readLine(call('wrong'))
    expect(denied).toMatchObject({ status: 401, network })
    expect(JSON.stringify(denied)).not.toContain(address)
    const allowed = await readLine(call(service.apiKey))
    expect(allowed).not.toHaveProperty('network')
    expect(JSON.stringify(allowed)).not.toContain(address)
  })

  it('marks a key in the query, right or wrong, counted or not', async () => {
    const right = () => service.fetch(`/api/connections?api_key=${service.apiKey}`)
    expect(await readLine(right)).toMatchObject({ key_in_query: true, key_name: 'API_KEY', outcome: 'ok' })
    const wrong = () => service.fetch('/api/connections?api_key=wrong')
    expect(await readLine(wrong)).toMatchObject({ key_in_query: true, outcome: 'invalid_api_key' })
    const beside = () => service.api('/api/connections?api_key=wrong')
    expect(await readLine(beside)).toMatchObject({ key_in_query: true, outcome: 'ok' })
  })

  it('has Intuit’s id of a call that failed', async () => {
    await service.connect('failing')
    await service.intuit.fault({ endpoint: 'token', fault: { kind: 'status', status: 503 } })
    expect(await readLine(() => service.api('/api/token/failing/refresh', { method: 'POST' }))).toMatchObject({
      ...{ outcome: 'intuit_unavailable', intuit_tid: expect.stringMatching(/^1-/), company_key: 'failing' },
    })
    await service.intuit.heal()
  })
})
