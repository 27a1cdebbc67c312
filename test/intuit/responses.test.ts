import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startWorker } from '../../dev/worker.ts'
import { freshKey, freshRealm } from '../support/fixtures.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const now = () => Math.floor(Date.now() / 1000)
/** A test never sees less, however slowly it runs, and never more than Intuit said. */
const SLOW = 110

let service: Service
beforeAll(async () => {
  service = await startService({ vars: { TOKEN_CACHE_SECONDS: '0' } })
})
afterAll(() => service.close())
afterEach(() => service.intuit.reset())

const record = async (key: string) => (await service.dynamo.item(`connection#${key}`)) ?? {}
const alter = async (key: string, change: Record<string, { S: string } | { N: string }>) =>
  service.dynamo.put({ ...(await record(key)), ...change })
const expiresIn = (key: string, seconds: number) =>
  alter(key, { access_token_expires_at: { N: String(now() + seconds) }, last_refresh_at: { N: String(now() - 3000) } })
const connected = async () => {
  const key = freshKey()
  expect((await service.connect(key, { realmId: freshRealm() })).status).toBe(200)
  return key
}
const read = (key: string) => service.api(`/api/token/${key}`)
const force = (key: string) => service.api(`/api/token/${key}/refresh`, { method: 'POST' })
const answersToken = (status: number, body = '', headers: Record<string, string> = {}, times = 1) =>
  service.intuit.fault({ endpoint: 'token', times, fault: { kind: 'status', status, body, headers } })
const reshapes = (fault: { set?: Record<string, unknown>; omit?: string[] }) =>
  service.intuit.fault({ endpoint: 'token', fault: { kind: 'reshape', ...fault } })
const lines = (event: string) =>
  service
    .logs()
    .split('\n')
    .filter((line) => line.includes(`"event":"${event}"`))
const json = (error: string) => JSON.stringify({ error })

describe('an error on the way back from the consent', () => {
  const denied = async (error: string, accept = 'application/json') => {
    const key = freshKey()
    await service.intuit.turn({ authorizationError: error })
    const path = await service.consented(key)
    const answer = await service.fetch(path, { headers: { Accept: accept } })
    return { key, path, answer }
  }

  it('is the refusal of the owner where Intuit says access_denied', async () => {
    const { answer } = await denied('access_denied')
    expect(answer.status).toBe(400)
    const { code, detail } = await answer.json()
    expect([code, detail]).toEqual(['authorization_denied', expect.stringContaining('denied')])
  })

  it.each([
    ['invalid_request', 'operator'],
    ['unauthorized_client', 'operator'],
    ['unsupported_response_type', 'operator'],
    ['invalid_scope', 'operator'],
    ['something_new', 'operator'],
    ['server_error', 'Wait'],
    ['temporarily_unavailable', 'Wait'],
  ])('is named and told apart where Intuit says %s, and spends the state', async (error, advice) => {
    const { path, answer } = await denied(error)
    expect(answer.status).toBe(400)
    const { code, detail } = await answer.json()
    expect([code, detail]).toEqual(['authorization_denied', expect.stringContaining(error)])
    expect(detail).toContain(advice)
    expect(detail).not.toMatch(/was (denied|declined)/)
    await expect
      .poll(() => lines('request').some((line) => line.includes(`"intuit_error":"${error}"`)), { timeout: 20_000 })
      .toBe(true)
    const replay = await service.fetch(path, { headers: { Accept: 'application/json' } })
    expect([replay.status, (await replay.json()).code]).toEqual([400, 'invalid_state'])
  })

  it.each([
    ['access_denied', 'declined', true],
    ['invalid_scope', 'our set-up', false],
    ['something_new', 'our set-up', false],
    ['server_error', 'not available right now', true],
  ])('is told apart on the page, and on the one that follows it: %s', async (error, words, offersAgain) => {
    const { answer } = await denied(error, 'text/html')
    expect(answer.status).toBe(400)
    const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0])
    const following = await service.fetch('/oauth/failed', {
      headers: { Accept: 'text/html', Cookie: cookies.join('; ') },
    })
    for (const page of [await answer.text(), await following.text()]) {
      expect(page).toContain(words)
      expect(page).toContain(error)
      expect(page.includes('>Try again<')).toBe(offersAgain)
      if (error !== 'access_denied') expect(page).not.toContain('The request was declined')
    }
  })

  it('shows no text of another form, which may be anything', async () => {
    const { answer } = await denied('Call 555-0100 to connect')
    const text = await answer.text()
    expect(text).toContain('unrecognized_error')
    expect(text).not.toContain('555')
  })
})

describe('an exchange that Intuit refuses', () => {
  it.each([
    ['token_exchange_failed', 'invalid_request', 400, json('invalid_request')],
    ['token_exchange_failed', 'unauthorized_client', 400, json('unauthorized_client')],
    ['token_exchange_failed', 'unsupported_grant_type', 400, json('unsupported_grant_type')],
    ['token_exchange_failed', 'invalid_scope', 400, json('invalid_scope')],
    ['token_exchange_failed', 'brand_new', 400, json('brand_new')],
    ['intuit_rejected_client', undefined, 400, json('invalid_client')],
    ['intuit_unavailable', undefined, 401, '<xml/>'],
    ['intuit_unavailable', undefined, 403, '<html>'],
    ['intuit_unavailable', undefined, 302, ''],
  ])('is %s and names %s, for %d %s', async (code, error, status, body) => {
    const key = freshKey()
    const path = await service.consented(key)
    await answersToken(status, body)
    const answer = await service.fetch(path, { headers: { Accept: 'application/json' } })
    expect(answer.status).toBe(502)
    const problem = await answer.json()
    expect(problem).toMatchObject({ code, intuit_tid: expect.stringMatching(/^1-/) })
    if (error !== undefined) expect(problem.detail).toContain(error)
    if (code === 'token_exchange_failed') expect(problem.detail).not.toMatch(/could not be reached|wait/i)
    expect((await record(key))['access_token']).toBeUndefined()
  })

  it('passes the Retry-After of Intuit on', async () => {
    const path = await service.consented(freshKey())
    await answersToken(429, '', { 'Retry-After': '120' })
    const answer = await service.fetch(path, { headers: { Accept: 'application/json' } })
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([502, '120'])
  })

  it.each([{ omit: ['refresh_token'] }, { set: { refresh_token: null } }, { set: { refresh_token: '' } }])(
    'with an answer without a refresh token stores nothing and revokes nothing: %j',
    async (fault) => {
      const key = freshKey()
      const path = await service.consented(key)
      await reshapes(fault)
      const answer = await service.fetch(path, { headers: { Accept: 'application/json' } })
      expect([answer.status, (await answer.json()).code]).toEqual([502, 'token_exchange_failed'])
      expect((await record(key))['access_token']).toBeUndefined()
      expect((await service.intuit.state()).counts.revoke).toBe(0)
    },
  )
})

describe('a refresh that Intuit refuses for the request', () => {
  it.each(['invalid_request', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope', 'brand_new'])(
    'with %s is named in detail, status and log, ends no connection and withholds no valid token',
    async (error) => {
      const key = await connected()
      await expiresIn(key, 200)
      await answersToken(400, json(error))
      expect((await read(key)).status).toBe(200)
      await expiresIn(key, -1)
      const answer = await read(key)
      expect(answer.status).toBe(502)
      const problem = await answer.json()
      expect(problem).toMatchObject({ code: 'token_exchange_failed', intuit_tid: expect.stringMatching(/^1-/) })
      expect(problem.detail).toContain(error)
      expect(problem.detail).not.toMatch(/could not be reached|wait/i)
      expect((await service.intuit.state()).counts.refresh).toBe(0)
      const status = await (await service.api(`/api/connections/${key}/status`)).json()
      expect(status).toMatchObject({ status: 'failing', last_error: { code: 'token_exchange_failed', attempts: 1 } })
      const logged = () => lines('refresh_failed').filter((line) => line.includes(`"company_key":"${key}"`))
      await expect.poll(() => logged().join(), { timeout: 20_000 }).toContain(`"intuit_error":"${error}"`)
    },
  )
})

describe('a response that is not about the token', () => {
  it.each([
    [401, '<?xml version="1.0"?><Fault/>'],
    [401, '<html>'],
    [401, ''],
    [403, '<html>Access Denied'],
    [404, ''],
    [302, ''],
    [429, ''],
    [500, json('invalid_grant')],
    [502, '<html>'],
    [200, '<html>Maintenance'],
    [400, '<html>Bad Request'],
  ])('leaves a valid token in service, inside the margin too: %d %s', async (status, body) => {
    const key = await connected()
    await expiresIn(key, 200)
    const before = (await record(key))['access_token']
    await answersToken(status, body)
    expect((await read(key)).status).toBe(200)
    const item = await record(key)
    expect([item['failure_code'], item['access_token']]).toEqual([{ S: 'unavailable' }, before])
    const forced = await force(key)
    expect([forced.status, (await forced.json()).code]).toEqual([502, 'intuit_unavailable'])
  })
})

describe('the Retry-After of Intuit', () => {
  it.each([
    [429, () => '120'],
    [503, () => '120'],
    [503, () => new Date(Date.now() + 120_000).toUTCString()],
    [429, () => new Date(Date.now() + 120_000).toUTCString()],
  ])('of a %d is when anybody asks again, a forced refresh included', async (status, retryAfter) => {
    const key = await connected()
    await expiresIn(key, -1)
    await answersToken(status, '', { 'Retry-After': retryAfter() })
    const answer = await read(key)
    expect(answer.status).toBe(502)
    for (const one of [answer, await read(key)]) {
      expect(Number(one.headers.get('Retry-After'))).toBeGreaterThan(SLOW - 60)
      expect(Number(one.headers.get('Retry-After'))).toBeLessThanOrEqual(121)
    }
    await alter(key, { failed_at: { N: String(now() - 60) } })
    expect((await force(key)).status).toBe(502)
    expect((await service.intuit.state()).counts.refresh).toBe(0)
    await alter(key, { failure_not_before: { N: String(now() - 1) } })
    expect((await force(key)).status).toBe(200)
    expect(await record(key)).not.toHaveProperty('failure_not_before')
  })

  it('is bounded to an hour', async () => {
    const key = await connected()
    await expiresIn(key, -1)
    await answersToken(503, '', { 'Retry-After': '864000' })
    expect(Number((await read(key)).headers.get('Retry-After'))).toBeLessThanOrEqual(3600)
  })
})

describe('malformed lifetimes', () => {
  it.each([1e300, -5, 3600.5, '3600.0', 3_600_000, null, 'soon', 'absent'])(
    'are the usual ones, and the record can be stored again and again: %j',
    async (value) => {
      const key = await connected()
      await service.intuit.turn({ rotateAfterSeconds: 0 })
      const names = ['expires_in', 'x_refresh_token_expires_in']
      const odd = value === 'absent' ? { omit: names } : { set: Object.fromEntries(names.map((name) => [name, value])) }
      for (let generation = 2; generation <= 3; generation++) {
        await reshapes(odd)
        const answer = await force(key)
        expect(answer.status).toBe(200)
        const body = await answer.json()
        const idle = value === 3_600_000 ? 3_600_000 : 8_726_400
        for (const [expiresAt, lifetime] of [
          [body.access_token_expires_at, 3600],
          [body.refresh_token_expires_at, idle],
        ]) {
          // The pair is stored a moment after it was issued.
          expect(expiresAt - body.last_refresh_at).toBeLessThanOrEqual(lifetime)
          expect(expiresAt - body.last_refresh_at).toBeGreaterThan(lifetime - 60)
        }
        expect((await record(key))['generation']).toEqual({ N: String(generation) })
      }
    },
  )
})

describe('times of a record written by hand in milliseconds', () => {
  it('are read as seconds', async () => {
    const key = await connected()
    const at = now()
    await alter(key, {
      access_token_expires_at: { N: String((at + 3000) * 1000) },
      refresh_token_expires_at: { N: String((at + 8_000_000) * 1000) },
      last_refresh_at: { N: String((at - 600) * 1000) },
    })
    const answer = await read(key)
    expect(await answer.json()).toMatchObject({
      ...{ access_token_expires_at: at + 3000, refresh_token_expires_at: at + 8_000_000, last_refresh_at: at - 600 },
    })
    expect((await service.intuit.state()).counts.refresh).toBe(0)
    await alter(key, { access_token_expires_at: { N: String((at - 5) * 1000) } })
    expect((await read(key)).status).toBe(200)
    expect((await service.intuit.state()).counts.refresh).toBe(1)
  })

  it('that promise an access token for more than a day are not believed', async () => {
    const key = await connected()
    await alter(key, { access_token_expires_at: { N: String(now() + 90_000) } })
    const body = await (await read(key)).json()
    expect(body.access_token_expires_at).toBeLessThanOrEqual(now() + 3600)
    expect((await service.intuit.state()).counts.refresh).toBe(1)
  })
})

describe('a refresh answered without a refresh token', () => {
  it.each([{ omit: ['refresh_token'] }, { set: { refresh_token: null } }, { set: { refresh_token: '' } }])(
    'keeps the old one with its end, and hands out the new access token: %j',
    async (fault) => {
      const key = await connected()
      const before = await record(key)
      await expiresIn(key, -1)
      await reshapes({ ...fault, set: { ...('set' in fault ? fault.set : {}), x_refresh_token_expires_in: 1_000_000 } })
      expect((await read(key)).status).toBe(200)
      const after = await record(key)
      for (const name of ['refresh_token_hash', 'refresh_token_expires_at', 'dies_at'])
        expect(after[name]).toEqual(before[name])
      expect(after['generation']).toEqual({ N: '2' })
      expect(after['access_token']).not.toEqual(before['access_token'])
      expect((await force(key)).status).toBe(200)
    },
  )
})

describe('tokens of 16 KB', () => {
  it('are connected, refreshed, stored and handed out', async () => {
    await service.intuit.turn({ accessTokenLength: 16_384, refreshTokenLength: 16_384, rotateAfterSeconds: 0 })
    const key = await connected()
    expect((await (await read(key)).json()).access_token).toHaveLength(16_384)
    expect((await (await force(key)).json()).access_token).toHaveLength(16_384)
    await expiresIn(key, -1)
    expect((await (await read(key)).json()).access_token).toHaveLength(16_384)
  })
})

describe('an outage that says invalid_grant', () => {
  const OUTAGE = { endpoint: 'token', times: 100, fault: { kind: 'invalid_grant_outage' } } as const

  it('ends no connection by five forced refreshes', async () => {
    const key = await connected()
    await service.intuit.fault(OUTAGE)
    for (let count = 0; count < 5; count++) {
      expect((await force(key)).status).toBe(502)
      // As if eleven seconds had passed since.
      await alter(key, { failed_at: { N: String(now() - 11) } })
    }
    const item = await record(key)
    expect(item['failure_count']).toEqual({ N: '1' })
    expect(Number(item['retry_at']?.N)).toBeLessThanOrEqual(now() + 600)
    await service.intuit.heal()
    await alter(key, { retry_at: { N: String(now()) }, access_token_expires_at: { N: '1' } })
    expect((await read(key)).status).toBe(200)
  })

  it('ends no connection by five visits of the page for disconnects', async () => {
    const realmId = freshRealm()
    const key = freshKey()
    await service.connect(key, { realmId })
    await service.intuit.fault(OUTAGE)
    for (let visits = 1; visits <= 5; visits++) {
      // As if eleven minutes had passed since Intuit was last asked, and the next attempt was hours away.
      const asked = { last_refresh_at: { N: String(now() - 660) }, failed_at: { N: String(now() - 660) } }
      await alter(key, visits === 1 ? asked : { ...asked, retry_at: { N: String(now() + 3600) } })
      expect((await service.fetch(`/intuit/disconnected?realmId=${realmId}`)).status).toBe(200)
      await expect
        .poll(async () => Number((await record(key))['failed_at']?.N), { timeout: 20_000 })
        .toBeGreaterThan(now() - 300)
    }
    expect(await record(key)).toMatchObject({ failure_code: { S: 'invalid_grant' }, failure_count: { N: '1' } })
  })
})

describe('a token younger than a minute', () => {
  let wide: Service
  beforeAll(async () => {
    wide = await startService({ vars: { TOKEN_CACHE_SECONDS: '0', TOKEN_REFRESH_MARGIN_SECONDS: '1800' }, workers: 2 })
  })
  afterAll(() => wide.close())
  const readAt = (worker: number, path: string) =>
    fetch(new URL(`/api/token/${path}`, wide.urls()[worker]), { headers: { 'X-API-Key': wide.apiKey } })
  const tenReads = async (path: string) => {
    for (let count = 0; count < 10; count++) expect((await readAt(count % 2, path)).status).toBe(200)
  }
  const age = async (key: string, seconds: number) => {
    const item = (await wide.dynamo.item(`connection#${key}`)) ?? {}
    await wide.dynamo.put({ ...item, last_refresh_at: { N: String(now() - seconds) } })
  }

  it.each([
    ['with a margin of half its life', 3600, ''],
    ['that lives shorter than the margin', 900, ''],
    ['that lives shorter than min_ttl', 900, '?min_ttl=1800'],
  ])('%s is not refreshed by ten reads of two Workers, and once it is older', async (_, lives, query) => {
    const key = freshKey()
    await wide.intuit.turn({ accessTokenLivesSeconds: lives })
    await wide.connect(key, { realmId: freshRealm() })
    const refreshes = async () => (await wide.intuit.state()).counts.refresh
    const before = await refreshes()
    // The test may take long on a busy machine, but not that long between two steps.
    await age(key, 0)
    await tenReads(`${key}${query}`)
    expect(await refreshes()).toBe(before)
    await age(key, 61)
    expect((await readAt(0, `${key}${query}`)).status).toBe(200)
    await expect.poll(refreshes, { timeout: 20_000 }).toBe(before + 1)
    await expect
      .poll(async () => (await wide.dynamo.item(`connection#${key}`))?.['generation']?.N, { timeout: 20_000 })
      .toBe('2')
    await tenReads(`${key}${query}`)
    expect(await refreshes()).toBe(before + 1)
  })

  it('is refreshed all the same once it has expired', async () => {
    const key = freshKey()
    await wide.connect(key, { realmId: freshRealm() })
    const item = (await wide.dynamo.item(`connection#${key}`)) ?? {}
    await wide.dynamo.put({ ...item, access_token_expires_at: { N: String(now() - 1) } })
    expect((await readAt(0, key)).headers.get('ETag')).toBe('"2"')
  })
})

describe('a client secret', () => {
  it('that is corrected lets every connection refresh at once, and one that is wrong keeps its pauses', async () => {
    const key = await connected()
    await expiresIn(key, -1)
    const path = `/api/token/${key}`
    // Another Worker on the same table, configured with a wrong secret.
    const wrong = await startWorker({
      vars: { ...service.vars, QUICKBOOKS_CLIENT_SECRET: 'wrong', QUICKBOOKS_SANDBOX_CLIENT_SECRET: 'wrong' },
    })
    const readWrong = async () => {
      const answer = await fetch(new URL(path, wrong.url), { headers: { 'X-API-Key': service.apiKey } })
      return [answer.status, (await answer.json()).code]
    }
    expect(await readWrong()).toEqual([502, 'intuit_rejected_client'])
    await alter(key, { retry_at: { N: String(now() + 900) }, failed_at: { N: String(now()) } })
    const item = await record(key)
    expect(item['failure_client']?.S).toMatch(/^[\w-]{16}$/)
    expect(JSON.stringify(item)).not.toContain('wrong')
    service.dynamo.requests.length = 0
    expect(await readWrong()).toEqual([502, 'intuit_rejected_client'])
    expect(service.dynamo.requests.map(({ operation }) => operation)).toEqual(['GetItem'])
    expect((await read(key)).status).toBe(200)
    expect(await record(key)).not.toHaveProperty('failure_client')
    await wrong.close()
  })
})
