import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rawRequest } from '../support/raw-request.ts'
import { type Service, startService } from '../support/worker-harness.ts'

let service: Service
beforeAll(async () => {
  service = await startService()
})
afterAll(() => service.close())
beforeEach(async () => {
  await service.intuit.reset()
})

/** Node's own `fetch` sets Fetch Metadata itself, so the requests of browsers are made below it. */
const open = async (path: string, headers: Record<string, string>) => {
  const response = await rawRequest(service.url, 'GET', path, headers)
  return { ...response, cacheControl: response.headers['cache-control'] }
}

const browser = (Site: string, Mode: string, Dest: string) => ({
  'Sec-Fetch-Site': Site,
  'Sec-Fetch-Mode': Mode,
  'Sec-Fetch-Dest': Dest,
})

const NO_NAVIGATION: [string, Record<string, string>][] = [
  ['a frame', browser('cross-site', 'navigate', 'iframe')],
  ['an old frame', browser('cross-site', 'navigate', 'frame')],
  ['an embedded object', browser('cross-site', 'navigate', 'object')],
  ['an embed', browser('same-origin', 'navigate', 'embed')],
  ['an image', browser('cross-site', 'no-cors', 'image')],
  ['a script', browser('cross-site', 'no-cors', 'script')],
  ['a style', browser('same-site', 'no-cors', 'style')],
  ['a fetch of another page', browser('cross-site', 'cors', 'empty')],
  ['a fetch of our own page', browser('same-origin', 'same-origin', 'empty')],
  ['a fetch without CORS', browser('cross-site', 'no-cors', 'empty')],
  ['a WebSocket', browser('cross-site', 'websocket', 'websocket')],
  ['a destination alone', { 'Sec-Fetch-Dest': 'image' }],
  ['a mode alone', { 'Sec-Fetch-Mode': 'no-cors' }],
  ['a fetch that hides its destination', { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'cross-site' }],
]

const LOOKS_AHEAD: [string, string][] = [
  ['Sec-Purpose', 'prefetch'],
  ['Sec-Purpose', 'prefetch;prerender'],
  ['Sec-Purpose', 'prefetch;anonymous-client-ip'],
  ['Purpose', 'prefetch'],
  ['Purpose', 'preview'],
  ['X-Purpose', 'preview'],
  ['X-Moz', 'prefetch'],
]

const OPENED: [string, Record<string, string>][] = [
  ['a link on another site', browser('cross-site', 'navigate', 'document')],
  ['the address bar', browser('none', 'navigate', 'document')],
  ['a link of ours', browser('same-origin', 'navigate', 'document')],
  ['a browser without Fetch Metadata', {}],
  ['a script in Node', { 'Sec-Fetch-Mode': 'cors' }],
]

/** Start, callback and landing pages, each by an address that works. */
const ADDRESSES = {
  start: async () => '/oauth/start/beach',
  callback: async () => service.consented('beach'),
  disconnected: async () => '/intuit/disconnected?realmId=123',
  reconnect: async () => '/intuit/reconnect?realmId=123',
}

describe.each(Object.keys(ADDRESSES) as (keyof typeof ADDRESSES)[])('the address of %s', (name) => {
  it.each(NO_NAVIGATION)('does nothing for %s', async (_, headers) => {
    const path = await ADDRESSES[name]()
    const before = service.dynamo.requests.length
    const { status, body, cacheControl } = await open(path, headers)
    expect([status, JSON.parse(body).code, cacheControl]).toEqual([403, 'forbidden', 'no-store'])
    expect(service.dynamo.requests.length).toBe(before)
    expect((await service.intuit.state()).counts.exchange).toBe(0)
  })

  it.each(LOOKS_AHEAD)('does nothing for a browser that looks ahead (%s: %s)', async (header, value) => {
    const path = await ADDRESSES[name]()
    const before = service.dynamo.requests.length
    const { status, body, cacheControl } = await open(path, { [header]: value })
    expect([status, JSON.parse(body).code, cacheControl]).toEqual([503, 'prefetch_refused', 'no-store'])
    expect(service.dynamo.requests.length).toBe(before)
  })

  it.each(OPENED)('works for %s', async (_, headers) => {
    expect([200, 302]).toContain((await open(await ADDRESSES[name](), headers)).status)
  })
})

it('a callback that was loaded in a frame still works when a person opens it', async () => {
  const path = await service.consented('framed')
  expect((await open(path, browser('cross-site', 'navigate', 'iframe'))).status).toBe(403)
  expect((await open(path, browser('cross-site', 'navigate', 'document'))).status).toBe(200)
})
