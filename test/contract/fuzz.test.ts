import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../src/broker/connection.ts'
import { PROBLEM_STATUS } from '../../src/problem.ts'
import { parseConnection } from '../../src/storage/connection-item.ts'
import { createConnection } from '../support/fixtures.ts'
import { AUTHORIZATION_ENDPOINT, createInProcessService, newSecrets, ORIGIN } from '../support/in-process.ts'
import {
  type AnyDamage,
  type AnyIntuit,
  type AnyRequest,
  anyDamage,
  anyIntuit,
  anyRequest,
} from './arbitrary-requests.ts'

/** How many requests; `npm run test:fuzz` sends a hundred thousand. */
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] || 10_000)
const BATCH = 20
/** Far beyond what any answer takes: what is not there by then never comes. Milliseconds. */
const HANG_MS = 60_000
/** The one fault of ours that a request can meet here, where the configuration is whole. */
const NAMED_FAULTS = ['sealed_token_unreadable']

const PROBLEMS: Record<string, number> = PROBLEM_STATUS
const secrets = newSecrets()

const stalled = (signal: AbortSignal | null | undefined) =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"access_token":'))
      signal?.addEventListener('abort', () => controller.error(new Error('aborted')))
    },
  })

/** `fetch` of an Intuit that answers as it is told. */
const hostileFetch =
  (chooseAnswer: () => AnyIntuit): typeof fetch =>
  async (_, init) => {
    const { kind, status, body, type, tid } = chooseAnswer()
    const headers = { 'Content-Type': type, intuit_tid: tid.replaceAll(/[^\x21-\x7E]/g, '') }
    const withBody = (text: BodyInit) => new Response([204, 304].includes(status) ? null : text, { status, headers })
    if (kind === 'reset') throw new TypeError('reset')
    if (kind === 'never')
      return new Promise((_resolve, reject) =>
        init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      )
    if (kind === 'slow') return new Response(stalled(init?.signal), { status: 200, headers })
    if (kind === 'huge') return withBody('['.repeat(200_000))
    if (kind === 'redirect')
      return new Response(null, { status: 302, headers: { ...headers, Location: 'https://evil.example/' } })
    if (kind === 'body') return withBody(body)
    const pair = { access_token: 'eyJ.fresh', refresh_token: secrets.refreshToken, expires_in: 3600 }
    return Response.json({ ...pair, x_refresh_token_expires_in: 8_726_400 }, { headers })
  }

const encryptedParts = (value: string) => {
  const [mark, jwe = ''] = [value.slice(0, 10), value.slice(10)]
  const [head = '', ...rest] = jwe.split('.')
  return { mark, header: Buffer.from(head, 'base64url').toString(), rest }
}
const withHeader = (value: string, change: (header: string) => string) => {
  const { mark, header, rest } = encryptedParts(value)
  return `${mark}${[Buffer.from(change(header)).toString('base64url'), ...rest].join('.')}`
}

const damaged = (value: string, other: string, attribute: string, { kind, at, noise }: AnyDamage): string => {
  const index = at % value.length
  switch (kind) {
    case 'flip':
      return value.slice(0, index) + String.fromCharCode(value.charCodeAt(index) ^ 1) + value.slice(index + 1)
    case 'cut':
      return value.slice(0, index)
    case 'swap record':
      return other
    case 'swap attribute':
      return attribute
    case 'other kid':
      return withHeader(value, (header) => header.replace('"sealing"', '"another"'))
    case 'other alg':
      return withHeader(value, (header) => header.replace('"dir"', '"none"'))
    case 'noise':
      return `sealed:v1:${noise}`
    case 'none':
      return value
  }
}

describe('the service, whatever it is sent', () => {
  it(`answers ${REQUESTS} generated requests truthfully: no fault but the named, no open redirect, no secret, no hang`, async () => {
    let intuitAnswer: AnyIntuit = { kind: 'good', status: 200, body: '', type: '', tid: '' }
    const service = createInProcessService({ secrets, fetch: hostileFetch(() => intuitAnswer) })
    const met = new Map<string, number>()
    let sent = 0

    const connected = async (companyKey: string, damage: AnyDamage, lives: number): Promise<Connection> => {
      const encrypt = (name: 'access_token' | 'refresh_token', key = companyKey) =>
        service.vault.encrypt(key, name, name === 'access_token' ? 'eyJ.stored' : secrets.refreshToken)
      const [access, refresh] = [await encrypt('access_token'), await encrypt('refresh_token')]
      const now = Math.floor(service.now() / 1000)
      return createConnection({
        ...{ companyKey, realmId: '1', generation: 1 },
        accessToken: damaged(access, await encrypt('access_token', 'other'), refresh, damage),
        refreshToken: damaged(refresh, await encrypt('refresh_token', 'other'), access, damage),
        ...{ accessTokenExpiresAt: now + lives, refreshTokenExpiresAt: now + 9000, refreshTokenHash: 'hash' },
        ...{ createdAt: 1, updatedAt: 1, lastRefreshAt: 1, writtenBy: 'me' },
      })
    }

    /** A real consent on its way: its state and the browser's cookie. */
    const begun = async (key: string) => {
      const answer = await service.fetch(new Request(`${ORIGIN}/oauth/start/${key}`))
      const state = new URL(answer.headers.get('Location') ?? ORIGIN).searchParams.get('state') ?? ''
      return { state, cookie: answer.headers.getSetCookie()[0]?.split(';')[0] ?? '' }
    }

    const toRequest = async ({ method, path, query, headers, body, trusted, state }: AnyRequest) => {
      const all = new Headers()
      for (const [name, value] of headers) all.set(name, value)
      if (trusted) all.set('X-API-Key', secrets.apiKey)
      let search = query
      if (state !== 'none' && path === '/oauth/callback') {
        const real = await begun('new-1')
        const sentState = { altered: `${real.state}x`, longer: real.state.repeat(3) }[state as string] ?? real.state
        if (state !== 'good without cookie') all.set('Cookie', real.cookie)
        search = `state=${encodeURIComponent(sentState)}&code=code&realmId=7&${query}`
      }
      const hasBody = body !== undefined && !['GET', 'HEAD', 'get'].includes(method)
      return new Request(`${ORIGIN}${path}?${search}`, { method, headers: all, ...(hasBody ? { body } : {}) })
    }

    const inTime = (answer: Promise<Response>) => {
      const { promise, reject } = Promise.withResolvers<never>()
      const timer = setTimeout(() => reject(new Error('no answer')), HANG_MS)
      return Promise.race([answer, promise]).finally(() => clearTimeout(timer))
    }

    const check = async (answer: Response, request: Request) => {
      const shown = `${JSON.stringify([...answer.headers])} ${await answer.text()}`
      const { status } = answer
      const location = answer.headers.get('Location')
      if (location !== null) expect(location.startsWith(`${AUTHORIZATION_ENDPOINT}?`)).toBe(true)
      for (const secret of Object.values(secrets)) expect(shown).not.toContain(secret)
      expect(answer.headers.has('X-Injected')).toBe(false)
      expect(shown).not.toContain('<script')
      expect(answer.headers.get('X-Request-Id')).toBeTruthy()
      expect(answer.headers.get('Cache-Control')).toContain('no-store')
      const code = /"code":"([a-z_]+)"/.exec(shown)?.[1] ?? `${status}`
      met.set(code, (met.get(code) ?? 0) + 1)
      if (status < 400 || request.method === 'HEAD') return
      if (answer.headers.get('Content-Type') === 'application/problem+json') expect(PROBLEMS[code]).toBe(status)
      else expect(answer.headers.get('Content-Type')).toBe('text/html; charset=UTF-8')
      if (status === 500) expect(shown).toMatch(new RegExp(NAMED_FAULTS.join('|')))
    }

    const batch = fc.record({
      requests: fc.array(anyRequest, { minLength: BATCH, maxLength: BATCH }),
      intuit: anyIntuit,
      damage: anyDamage,
      lives: fc.constantFrom(-1, 100, 3600),
    })
    const property = fc.asyncProperty(batch, async ({ requests, intuit, damage, lives }) => {
      intuitAnswer = intuit
      for (const key of ['beach', 'sandbox-1']) {
        service.rows.set(key, { connection: await connected(key, damage, lives), expiresAt: undefined })
      }
      for (const one of requests) {
        // What no HTTP client could send, the runtime refuses to make.
        const request = await toRequest(one).catch(() => undefined)
        if (!request) continue
        sent++
        await check(await inTime(service.fetch(request)), request)
      }
      await service.settled()
      expect(service.faults).toEqual([])
    })
    // The runtime refuses a tenth or so of what is generated.
    await fc.assert(property, { numRuns: Math.ceil((REQUESTS * 1.5) / BATCH), endOnFailure: true })

    expect(sent).toBeGreaterThanOrEqual(REQUESTS)
    for (const code of REACHED) expect([...met.keys()]).toContain(code)
  }, 3_600_000)
})

/** What a run must have met, or it only scratched at the door. */
const REACHED = [
  ...['200', '201', '302', 'invalid_company_key', 'invalid_company_name', 'invalid_request', 'invalid_state'],
  ...['missing_code', 'missing_state', 'invalid_api_key', 'invalid_start_link', 'connection_not_found', 'not_found'],
  ...['method_not_allowed', 'missing_refresh_token', 'sealed_token_unreadable', 'intuit_unavailable'],
]

describe('a stored record, whatever it holds', () => {
  const attribute = fc.oneof(
    fc.record({ S: fc.string() }),
    fc.record({ N: fc.oneof(fc.string(), fc.integer().map(String), fc.constantFrom('1e999', 'NaN', '-0', '')) }),
    fc.record({ BOOL: fc.anything() }),
    fc.anything(),
  )
  const names = fc.constantFrom(
    ...['access_token', 'access_token_expires_at', 'refresh_token', 'realm_id', 'company_name', 'generation'],
    ...['uses_sandbox_credentials', 'lease_owner', 'lease_until', 'failure_code', 'failed_at', 'revocation'],
    ...['disconnected_at', 'expires_at', 'refresh_token_hash', 'created_at'],
  )

  it('is read without a fault, and its numbers are finite', () => {
    fc.assert(
      fc.property(fc.dictionary(names, attribute), (item) => {
        const connection = parseConnection(item, 'beach')
        for (const value of Object.values(connection))
          if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true)
      }),
      { numRuns: Math.max(2_000, REQUESTS / 5) },
    )
  })
})
