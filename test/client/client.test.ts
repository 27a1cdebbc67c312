import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { quickbooksTokens } from 'quickbooks-token-broker/client'
import { describe, expect, it, vi } from 'vitest'
import {
  API,
  BROKER,
  bearer,
  call,
  createScriptedClient,
  failure,
  KEY,
  NOW,
  problem,
  token,
} from './scripted-client.ts'

describe('the token cache', () => {
  it('reads a token once, and again one minute before it expires', async () => {
    const {
      token: read,
      calls,
      pass,
    } = createScriptedClient(
      () => token(1),
      () => token(2, NOW + 7200),
    )
    expect(await read('beach')).toMatchObject({ access_token: 'access-1', generation: 1, company_key: 'beach' })
    pass(3539)
    expect((await read('beach')).generation).toBe(1)
    expect(calls()).toEqual(['GET /token/beach'])
    pass(1)
    expect((await read('beach')).generation).toBe(2)
    expect(calls()).toHaveLength(2)
  })

  it('requests the lifetime that a caller needs, and reuses cached tokens that are valid for that long', async () => {
    const { token: read, calls } = createScriptedClient(
      () => token(1, NOW + 900),
      () => token(2, NOW + 3600),
    )
    await read('beach')
    expect((await read('beach', { minTtlSeconds: 900 })).generation).toBe(2)
    expect((await read('beach', { minTtlSeconds: 1800 })).generation).toBe(2)
    expect((await read('beach', { minTtlSeconds: 0 })).generation).toBe(2)
    expect(calls()).toEqual(['GET /token/beach', 'GET /token/beach?min_ttl=900'])
  })

  it('returns any valid cached token for minTtlSeconds 0', async () => {
    const { token: read, calls } = createScriptedClient(() => token(1, NOW + 30))
    await read('beach')
    expect((await read('beach', { minTtlSeconds: 0 })).generation).toBe(1)
    expect(calls()).toHaveLength(1)
  })

  it('shares one request among concurrent callers of a company, but not across companies', async () => {
    const answer = Promise.withResolvers<Response>()
    const { token: read, calls } = createScriptedClient(() => answer.promise.then((response) => response.clone()))
    const reading = [read('beach'), read('beach'), read('beach'), read('hill')]
    expect(calls()).toEqual(['GET /token/beach', 'GET /token/hill'])
    answer.resolve(token(1))
    expect((await Promise.all(reading)).map(({ generation }) => generation)).toEqual([1, 1, 1, 1])
    expect(calls()).toHaveLength(2)
  })

  it('does not cache a failure for later callers', async () => {
    const { token: read } = createScriptedClient(
      () => problem(503, 'storage_unavailable'),
      () => token(1),
    )
    expect((await failure(read('beach'))).code).toBe('storage_unavailable')
    expect((await read('beach')).generation).toBe(1)
  })

  it('waits five seconds for the request of another caller, which workerd may never settle, then shares a new one', async () => {
    vi.useFakeTimers()
    const second = Promise.withResolvers<Response>()
    const { token: read, calls } = createScriptedClient(
      () => new Promise<Response>(() => undefined),
      () => second.promise,
    )
    void read('beach')
    const waiting = Promise.all([read('beach'), read('beach'), read('beach')])
    await vi.advanceTimersByTimeAsync(4999)
    expect(calls()).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    vi.useRealTimers()
    second.resolve(token(1))
    expect((await waiting).map(({ generation }) => generation)).toEqual([1, 1, 1])
    expect(calls()).toHaveLength(2)
  })

  it('leaves no timer that keeps a process alive', async () => {
    vi.useFakeTimers()
    const { token: read } = createScriptedClient(() => token(1))
    await Promise.all([read('beach'), read('beach')])
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  it('passes every shared request to waitUntil', async () => {
    const kept: Promise<unknown>[] = []
    const client = quickbooksTokens({
      ...{ baseUrl: BROKER, apiKey: KEY },
      waitUntil: (promise) => kept.push(promise),
      fetch: async () => problem(503, 'storage_unavailable'),
    })
    await failure(client.token('beach'))
    expect(await Promise.all(kept)).toEqual([undefined])
  })

  it('never returns to an older generation, in whatever order responses arrive', async () => {
    const slow = Promise.withResolvers<Response>()
    const { token: read, refresh } = createScriptedClient(
      () => slow.promise,
      () => token(2, NOW + 3600),
    )
    const reading = read('beach')
    expect((await refresh('beach')).generation).toBe(2)
    slow.resolve(token(1, NOW + 3000))
    expect((await reading).generation).toBe(2)
    expect((await read('beach')).generation).toBe(2)
  })

  it('accepts the lower generation of a record that was deleted and created again', async () => {
    const { token: read, pass } = createScriptedClient(
      () => token(6),
      () => token(1, NOW + 7200),
    )
    await read('beach')
    pass(3600)
    expect((await read('beach')).generation).toBe(1)
  })

  it('accepts a weak ETag, which proxies that compress send', async () => {
    expect((await createScriptedClient(() => token(3, NOW + 3600, 'W/"3"')).token('beach')).generation).toBe(3)
  })
})

describe('a refresh', () => {
  it('is a POST, conditional on the generation that a caller passes', async () => {
    const { refresh, sent, calls } = createScriptedClient(
      () => token(2),
      () => token(3),
    )
    await refresh('beach')
    await refresh('beach', { ifGeneration: 2 })
    expect(calls()).toEqual(['POST /token/beach/refresh', 'POST /token/beach/refresh'])
    expect(sent.map(({ headers }) => headers.get('If-Match'))).toEqual([null, '"2"'])
  })

  it('is shared only by callers with the same condition', async () => {
    const { refresh, sent } = createScriptedClient(() => token(3))
    await Promise.all([refresh('beach', { ifGeneration: 2 }), refresh('beach'), refresh('beach', { ifGeneration: 2 })])
    expect(sent.map(({ headers }) => headers.get('If-Match'))).toEqual(['"2"', null])
  })

  it('reports a failure and does not read the token instead', async () => {
    const { refresh, calls } = createScriptedClient(
      () => problem(502, 'intuit_unavailable'),
      () => token(2),
    )
    expect((await failure(refresh('beach', { ifGeneration: 2 }))).code).toBe('intuit_unavailable')
    expect(calls()).toHaveLength(1)
  })

  it('returns a newer token that the broker has stored after a 429', async () => {
    const { refresh, sent, calls } = createScriptedClient(
      () => problem(429, 'rate_limited', { 'Retry-After': '60' }),
      () => token(3),
    )
    expect((await refresh('beach', { ifGeneration: 2 })).generation).toBe(3)
    expect(calls()).toEqual(['POST /token/beach/refresh', 'GET /token/beach'])
    expect(sent[1]?.headers.get('Cache-Control')).toBe('no-cache')
  })

  it('returns a token that is newer than the cached one after a 429', async () => {
    const { token: read, refresh } = createScriptedClient(
      () => token(2),
      () => problem(429, 'rate_limited'),
      () => token(3, NOW + 3700),
    )
    await read('beach')
    expect((await refresh('beach')).generation).toBe(3)
  })

  it.each([
    ['there is no newer token', { ifGeneration: 2 }, () => token(2)],
    ['the read fails as well', { ifGeneration: 2 }, () => problem(503, 'storage_unavailable')],
    ['the token in use is unknown', {}, () => token(3)],
  ])('reports the rate limit if %s', async (_, options, stored) => {
    const { refresh } = createScriptedClient(() => problem(429, 'rate_limited', { 'Retry-After': '60' }), stored)
    expect(await failure(refresh('beach', options))).toMatchObject({ code: 'rate_limited', retryAfter: 60 })
  })

  it('reads past the caches if another caller has already refreshed', async () => {
    const { refresh, sent, calls } = createScriptedClient(
      () => problem(412, 'generation_mismatch'),
      () => token(3),
    )
    expect((await refresh('beach', { ifGeneration: 2 })).generation).toBe(3)
    expect(calls()).toEqual(['POST /token/beach/refresh', 'GET /token/beach'])
    expect(sent[1]?.headers.get('Cache-Control')).toBe('no-cache')
  })

  it('caches its token for later reads', async () => {
    const { token: read, refresh, calls } = createScriptedClient(() => token(2))
    await refresh('beach')
    expect((await read('beach')).generation).toBe(2)
    expect(calls()).toHaveLength(1)
  })
})

describe('fetch', () => {
  const ok = () => new Response('{"CompanyInfo":{}}')
  const unauthorized = () => new Response('{"fault":{}}', { status: 401 })

  it('adds the bearer token and changes nothing else of the request', async () => {
    const { fetch: send, sent } = createScriptedClient(() => token(1), ok)
    const headers = { Accept: 'application/json', Authorization: 'Basic other' }
    const answer = await send('beach', new URL(API), { method: 'POST', body: 'text', headers })
    expect(await answer.json()).toEqual({ CompanyInfo: {} })
    expect(sent[1]).toMatchObject({ url: API, init: { method: 'POST', body: 'text' } })
    expect(Object.fromEntries(sent[1]?.headers ?? [])).toEqual({
      ...{ accept: 'application/json', authorization: 'Bearer access-1' },
    })
  })

  it('refreshes conditionally after a 401 and tries once more', async () => {
    const {
      fetch: send,
      sent,
      calls,
    } = createScriptedClient(
      () => token(1),
      unauthorized,
      () => token(2),
      ok,
    )
    expect((await send('beach', API, { method: 'PUT', body: 'text' })).status).toBe(200)
    expect(calls()).toEqual(['GET /token/beach', `PUT ${API}`, 'POST /token/beach/refresh', `PUT ${API}`])
    expect(sent[2]?.headers.get('If-Match')).toBe('"1"')
    expect([sent[1], sent[3]].map((one) => one && bearer(one))).toEqual(['Bearer access-1', 'Bearer access-2'])
    expect(sent[3]?.init.body).toBe('text')
  })

  it('frees the connection of a 401 that it does not return', async () => {
    let cancelled = 0
    const body = new ReadableStream({ cancel: () => void cancelled++ })
    const { fetch: send } = createScriptedClient(
      () => token(1),
      () => new Response(body, { status: 401 }),
      () => token(2),
      ok,
    )
    await send('beach', API)
    expect(cancelled).toBe(1)
  })

  it('does not try a third time', async () => {
    const { fetch: send, calls } = createScriptedClient(
      () => token(1),
      unauthorized,
      () => token(2),
      unauthorized,
    )
    expect((await send('beach', API)).status).toBe(401)
    expect(calls()).toEqual(['GET /token/beach', `GET ${API}`, 'POST /token/beach/refresh', `GET ${API}`])
  })

  it('refreshes again after QuickBooks has accepted a refreshed token', async () => {
    const refresh = [unauthorized, () => token(2), unauthorized]
    const { fetch: send, calls } = createScriptedClient(
      () => token(1),
      ...refresh,
      ok,
      unauthorized,
      () => token(3),
      ok,
    )
    await send('beach', API)
    await send('beach', API)
    expect((await send('beach', API)).status).toBe(200)
    expect(calls().slice(5)).toEqual([`GET ${API}`, 'POST /token/beach/refresh', `GET ${API}`])
  })

  it('causes one refresh for many requests that saw the same token fail', async () => {
    const { fetch: send, calls } = createScriptedClient((one) => {
      if (call(one) === 'GET /token/beach') return token(1)
      if (call(one) === 'POST /token/beach/refresh') return token(2)
      return bearer(one) === 'Bearer access-2' ? ok() : unauthorized()
    })
    const answers = await Promise.all(Array.from({ length: 20 }, () => send('beach', API)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    expect(calls().filter((one) => one.endsWith('/token/beach'))).toHaveLength(1)
    expect(calls().filter((one) => one.endsWith('/refresh'))).toHaveLength(1)
  })

  it('uses the token that another request has refreshed in the meantime', async () => {
    const late = Promise.withResolvers<Response>()
    const {
      fetch: send,
      refresh,
      calls,
    } = createScriptedClient(
      () => token(1),
      () => late.promise,
      () => token(2),
      ok,
    )
    const sending = send('beach', API)
    await expect.poll(calls).toHaveLength(2)
    await refresh('beach')
    late.resolve(unauthorized())
    expect((await sending).status).toBe(200)
    expect(calls()).toEqual(['GET /token/beach', `GET ${API}`, 'POST /token/beach/refresh', `GET ${API}`])
  })

  it('reports why there is no newer token', async () => {
    const { fetch: send } = createScriptedClient(
      () => token(1),
      unauthorized,
      () => problem(502, 'reconnect_required'),
    )
    expect(await failure(send('beach', API))).toMatchObject({ status: 502, code: 'reconnect_required' })
  })

  const streams: [string, () => BodyInit][] = [
    ['a stream', () => new Response('text').body ?? ''],
    ['a stream without iteration', () => Object.assign(new Blob(['text']), { getReader: () => undefined })],
    ['an async iterable', () => Object.assign(new Blob(['text']), { async *[Symbol.asyncIterator]() {} })],
  ]
  it.each(streams)(
    'returns the 401 for %s, which cannot be sent twice, and refreshes for the next request',
    async (_, body) => {
      const {
        fetch: send,
        calls,
        token: read,
      } = createScriptedClient(
        () => token(1),
        unauthorized,
        () => token(2),
      )
      expect(await (await send('beach', API, { method: 'POST', body: body() })).json()).toEqual({ fault: {} })
      expect(calls()).toEqual(['GET /token/beach', `POST ${API}`, 'POST /token/beach/refresh'])
      expect((await read('beach')).generation).toBe(2)
    },
  )

  it('returns that 401 even if the refresh fails', async () => {
    const { fetch: send } = createScriptedClient(
      () => token(1),
      unauthorized,
      () => problem(502, 'intuit_unavailable'),
    )
    const body = new Response('text').body
    expect((await send('beach', API, { method: 'POST', body })).status).toBe(401)
  })

  it.each<[string, () => BodyInit]>([
    ['text', () => 'text'],
    ['bytes', () => new Uint8Array([1, 2])],
    ['a form', () => new URLSearchParams({ a: 'b' })],
    ['a multipart form', () => new FormData()],
    ['a blob', () => new Blob(['text'])],
  ])('sends %s again', async (_, body) => {
    const { fetch: send, sent } = createScriptedClient(
      () => token(1),
      unauthorized,
      () => token(2),
      ok,
    )
    const sentBody = body()
    expect((await send('beach', API, { method: 'POST', body: sentBody })).status).toBe(200)
    expect(sent[3]?.init.body).toBe(sentBody)
  })
})

describe('fetch, while QuickBooks rejects a token that was just refreshed,', () => {
  const ok = () => new Response('{"CompanyInfo":{}}')

  /** A broker with a stored generation, and a QuickBooks that accepts the generations in a set. */
  const scene = async ({ isHeld = async () => undefined }: { isHeld?: () => Promise<unknown> } = {}) => {
    const world = { stored: 1, taken: new Set<number>(), fails: false }
    const client = createScriptedClient(async (one) => {
      const [verb = ''] = call(one).split(' ')
      if (one.url === API)
        return world.taken.has(Number(bearer(one)?.split('-')[1]))
          ? ok()
          : Response.json({ fault: {} }, { status: 401 })
      await isHeld()
      if (world.fails) return problem(502, 'intuit_unavailable')
      if (verb === 'POST' && one.headers.get('If-Match') !== `"${world.stored}"`)
        return problem(412, 'generation_mismatch')
      if (verb === 'POST') world.stored++
      return token(world.stored, NOW + 3600 + world.stored)
    })
    const { calls } = client
    /** Requests to the broker since the last call. */
    let seen = 0
    const asked = () => {
      const all = calls().filter((one) => !one.includes(API))
      const more = all.slice(seen)
      seen = all.length
      return more
    }
    const status = async (init?: RequestInit) => (await client.fetch('beach', API, init)).status
    expect(await status()).toBe(401)
    expect(asked()).toEqual(['GET /token/beach', 'POST /token/beach/refresh'])
    return { ...client, world, asked, status }
  }
  const READ = 'GET /token/beach'
  const REFRESH = 'POST /token/beach/refresh'

  it('finds a newer token that the broker has stored since, past the caches', async () => {
    const { world, asked, status, sent } = await scene()
    world.stored = 3
    world.taken.add(3)
    expect(await status()).toBe(200)
    expect(asked()).toEqual([READ])
    expect(sent.findLast(({ url }) => url !== API)?.headers.get('Cache-Control')).toBe('no-cache')
    for (let time = 0; time < 50; time++) expect(await status()).toBe(200)
    expect(asked()).toEqual([])
  })

  it('reads from the broker at most every five seconds, and returns the 401 with its body in between', async () => {
    const { fetch: send, asked, status, pass } = await scene()
    for (let time = 0; time < 50; time++) expect(await status()).toBe(401)
    expect(asked()).toEqual([READ])
    expect(await (await send('beach', API)).json()).toEqual({ fault: {} })
    pass(4)
    for (let time = 0; time < 50; time++) expect(await status()).toBe(401)
    expect(asked()).toEqual([])
  })

  it('refreshes again, conditionally, if there is no newer token', async () => {
    const { world, asked, status, pass, sent } = await scene()
    world.taken.add(3)
    pass(5)
    expect(await status()).toBe(200)
    expect(asked()).toEqual([READ, REFRESH])
    expect(sent.findLast(({ init }) => init.method === 'POST')?.headers.get('If-Match')).toBe('"2"')
  })

  it('refreshes at growing intervals while refreshes do not help', async () => {
    const { asked, status, pass } = await scene()
    const refreshes: number[] = []
    for (let second = 0; second < 3 * 3600; second += 5) {
      await status()
      if (asked().includes(REFRESH)) refreshes.push(second)
      pass(5)
    }
    const pauses = refreshes.map((at, index) => at - (refreshes[index - 1] ?? 0))
    expect(pauses.slice(0, 5)).toEqual([5, 20, 80, 320, 1280])
    expect(pauses.slice(5).every((pause) => pause <= 3600)).toBe(true)
    expect(refreshes.length).toBeLessThan(9)
  })

  it('starts over after QuickBooks has accepted a token', async () => {
    const { world, asked, status, pass } = await scene()
    world.taken.add(3)
    pass(5)
    expect(await status()).toBe(200)
    world.taken.clear()
    asked()
    world.taken.add(4)
    expect(await status()).toBe(200)
    expect(asked()).toEqual([REFRESH])
  })

  it('keeps companies apart', async () => {
    const { world, asked, fetch: send } = await scene()
    world.taken.add(3)
    expect((await send('hill', API)).status).toBe(200)
    expect(asked()).toEqual(['GET /token/hill', 'POST /token/hill/refresh'])
  })

  it('lets concurrent callers share a read and its result', async () => {
    const gate = Promise.withResolvers<void>()
    let held = false
    const { world, asked, status, calls } = await scene({ isHeld: async () => held && gate.promise })
    world.stored = 3
    world.taken.add(3)
    held = true
    const before = calls().length
    const sending = Array.from({ length: 20 }, () => status())
    await expect.poll(() => calls().slice(before), { timeout: 20_000 }).toHaveLength(21)
    gate.resolve()
    expect(new Set(await Promise.all(sending))).toEqual(new Set([200]))
    expect(asked()).toEqual([READ])
  })

  it('lets concurrent callers share a refresh', async () => {
    const { world, asked, status, pass } = await scene()
    world.taken.add(3)
    pass(5)
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => status())))).toEqual(new Set([200]))
    expect(asked()).toEqual([READ, REFRESH])
  })

  it('does not send a stream again, and finds the newer token for the next request', async () => {
    const { world, asked, status, token: read } = await scene()
    world.stored = 3
    world.taken.add(3)
    const stream = () => ({ method: 'POST', body: new Response('text').body })
    expect(await status(stream())).toBe(401)
    expect(asked()).toEqual([READ])
    expect((await read('beach')).generation).toBe(3)
    expect(await status(stream())).toBe(200)
    expect(asked()).toEqual([])
  })

  it('reports an error of the broker once, and does not call it at every request', async () => {
    const { world, asked, fetch: send, status } = await scene()
    world.fails = true
    expect(await failure(send('beach', API))).toMatchObject({ code: 'intuit_unavailable' })
    for (let time = 0; time < 10; time++) expect(await status()).toBe(401)
    expect(asked()).toEqual([READ])
  })
})

describe('the requests of the client', () => {
  it.each([
    ['https://broker.test', 'https://broker.test/api/token/beach'],
    ['https://broker.test/', 'https://broker.test/api/token/beach'],
    ['https://gateway.test/broker/?a=b#c', 'https://gateway.test/broker/api/token/beach'],
    ['http://localhost:8787', 'http://localhost:8787/api/token/beach'],
    ['http://127.0.0.1:8787', 'http://127.0.0.1:8787/api/token/beach'],
    ['http://[::1]:8787', 'http://[::1]:8787/api/token/beach'],
  ])('go to the broker at %s', async (baseUrl, expected) => {
    const urls: string[] = []
    const fetch = async (url: string) => {
      urls.push(url)
      return token(1)
    }
    await quickbooksTokens({ baseUrl, apiKey: KEY, fetch }).token('beach')
    expect(urls).toEqual([expected])
  })

  it('keep a company key within the path of tokens', async () => {
    const { token: read, calls } = createScriptedClient(() => token(1))
    await read('../connections/beach?a=b')
    expect(calls()).toEqual(['GET /token/..%2Fconnections%2Fbeach%3Fa%3Db'])
  })

  it('send the key in one header, to the broker only, and follow no redirect', async () => {
    const { fetch: send, sent } = createScriptedClient(
      () => token(1),
      () => new Response('{}'),
    )
    await send('beach', API)
    expect(sent.map(({ headers }) => headers.get('X-API-Key'))).toEqual([KEY, null])
    expect(sent.map(({ init }) => init.redirect)).toEqual(['manual', 'manual'])
    expect(sent.map(({ url }) => url).join()).not.toContain(KEY)
  })

  it('wait for the broker until a deadline', async () => {
    const { token: read, sent } = createScriptedClient(() => token(1))
    await read('beach')
    expect(sent[0]?.init.signal).toBeInstanceOf(AbortSignal)
  })

  it('return a redirect of the API, whatever the caller’s init says', async () => {
    const elsewhere = { status: 302, headers: { Location: 'https://elsewhere.test/' } }
    const { fetch: send, sent } = createScriptedClient(
      () => token(1),
      () => new Response(null, elsewhere),
    )
    const init: RequestInit = { redirect: 'follow' }
    const answer = await send('beach', API, init)
    expect([answer.status, answer.headers.get('Location')]).toEqual([302, 'https://elsewhere.test/'])
    expect(sent[1]?.init.redirect).toBe('manual')
    expect(sent).toHaveLength(2)
  })

  it.each([
    'http://broker.test',
    'http://localhost.test',
    'http://notlocalhost',
    'http://127.0.0.1.test',
    'ftp://broker.test',
    'http://10.0.0.1',
    'http://localhost@broker.test',
  ])('never send a secret to %s', async (address) => {
    const { fetch: send, sent } = createScriptedClient(() => token(1))
    const reason = /^An access token is sent to https and loopback addresses only/
    await expect(send('beach', `${address}/v3`)).rejects.toThrow(reason)
    expect(sent).toEqual([])
    expect(() => quickbooksTokens({ baseUrl: address, apiKey: KEY })).toThrow(/^The API key is sent to https/)
  })

  it.each(['', `${KEY}\n`, `${KEY}\u00e9`])(
    'reject a key that a header cannot hold (%j), and the error does not show it',
    (apiKey) => {
      expect(() => quickbooksTokens({ baseUrl: BROKER, apiKey })).toThrow(
        'apiKey must be visible ASCII on one line. Is there a line break at its end?',
      )
    },
  )
})

describe('an error', () => {
  it('has the details of the broker’s problem', async () => {
    const error = await failure(
      createScriptedClient(() => problem(503, 'refresh_in_progress', { 'Retry-After': '7' })).token('beach'),
    )
    expect(error).toBeInstanceOf(Error)
    expect({ ...error, message: error.message }).toEqual({
      ...{
        name: 'BrokerError',
        status: 503,
        code: 'refresh_in_progress',
        detail: 'What to do about refresh_in_progress.',
      },
      ...{ requestId: 'request-1', retryAfter: 7, intuitTid: '1-abc' },
      message: 'refresh_in_progress: What to do about refresh_in_progress.',
    })
  })

  it('reports that the broker could not be reached, and why', async () => {
    const cause = new TypeError('fetch failed')
    const { token: read, connection } = createScriptedClient(() => Promise.reject(cause))
    for (const error of [await failure(read('beach')), await failure(connection('beach'))]) {
      expect(error).toMatchObject({ code: 'broker_unreachable', status: undefined, retryAfter: undefined, cause })
    }
  })

  it('reports an incomplete response in the same way', async () => {
    const broken = new ReadableStream({ start: (controller) => controller.error(new TypeError('terminated')) })
    const { token: read } = createScriptedClient(() => new Response(broken))
    expect(await failure(read('beach'))).toMatchObject({ code: 'broker_unreachable' })
  })

  const foreign: [string, () => Response][] = [
    ['a gateway’s page', () => new Response('<html>', { status: 502, headers: { 'Content-Type': 'text/html' } })],
    ['a gateway’s JSON', () => Response.json({ code: 'BAD' }, { status: 502 })],
    [
      'a problem without a code',
      () => Response.json({}, { status: 502, headers: { 'Content-Type': 'application/problem+json' } }),
    ],
    ['a redirect', () => new Response(null, { status: 302, headers: { Location: 'https://elsewhere.test/' } })],
    ['a page with status 200', () => new Response('<html>')],
    ['JSON null', () => new Response('null')],
    ['a list', () => new Response('[1]')],
    ['a token without a generation', () => Response.json({ access_token: 'a', access_token_expires_at: NOW })],
    [
      'a token that is not text',
      () => Response.json({ access_token: 1, access_token_expires_at: NOW }, { headers: { ETag: '"1"' } }),
    ],
    [
      'a token that no header can hold',
      () => Response.json({ access_token: 'a\nb', access_token_expires_at: NOW }, { headers: { ETag: '"1"' } }),
    ],
  ]
  it.each(foreign)('distinguishes %s from a response of the broker', async (_, reply) => {
    const error = await failure(createScriptedClient(reply).token('beach'))
    expect(error).toMatchObject({ code: 'unexpected_answer', status: reply().status })
    expect(error.message).not.toContain('html')
  })

  it('distinguishes a foreign response about a connection, too', async () => {
    expect(await failure(createScriptedClient(() => Response.json({})).connection('beach'))).toMatchObject({
      ...{ code: 'unexpected_answer', status: 200 },
    })
  })

  it('never contains a token or the key', async () => {
    const refused = () => new Response(null, { status: 401 })
    for (const last of [
      () => problem(502, 'reconnect_required'),
      () => new Response('access-1'),
      () => Promise.reject(new Error('reset')),
    ]) {
      const error = await failure(createScriptedClient(() => token(1), refused, last).fetch('beach', API))
      const shown = [error.message, error.stack, JSON.stringify(error), String(error.cause)].join()
      expect(shown).not.toMatch(/access-1|key-of-the-caller/)
    }
  })
})

describe('the package', () => {
  const folder = fileURLToPath(new URL('../../client', import.meta.url))
  const sources = readdirSync(folder).filter((file) => file.endsWith('.js'))

  it('is under 3 KB, minified and gzipped, with no dependency', async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [`${folder}/index.js`],
      ...{ bundle: true, minify: true, format: 'esm', platform: 'neutral', write: false, metafile: true },
    })
    expect(new Set(Object.keys(metafile.inputs))).toEqual(new Set(sources.map((file) => `client/${file}`)))
    expect(gzipSync(outputFiles[0]?.contents ?? '').byteLength).toBeLessThan(3000)
  })

  it('imports only its own files', () => {
    const targets = sources.flatMap((file) =>
      [...readFileSync(`${folder}/${file}`, 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(
        ([, target]) => target,
      ),
    )
    expect(targets.length).toBeGreaterThan(0)
    expect(targets.filter((target) => !target?.startsWith('./'))).toEqual([])
  })
})
