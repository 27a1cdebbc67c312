import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRetryAfter } from '../../src/intuit/retry-after.ts'
import { parseTokenResult } from '../../src/intuit/token-response.ts'

const NOW = 1_790_000_000
const GOOD = {
  access_token: 'access',
  refresh_token: 'refresh',
  expires_in: 3600,
  x_refresh_token_expires_in: 8_726_400,
}

const read = (status: number, text: string | undefined) =>
  parseTokenResult({ status, text, intuitTid: '1-tid', retryAfterSeconds: undefined }, NOW)
const readGood = (change: object) => read(200, JSON.stringify({ ...GOOD, ...change }))
const lifetimes = (change: object) => {
  const answer = readGood(change)
  if (!answer.ok) throw new Error('no tokens')
  const { accessTokenExpiresAt, refreshTokenExpiresAt, refreshTokenHardExpiresAt } = answer.pair
  return [accessTokenExpiresAt - NOW, refreshTokenExpiresAt - NOW, (refreshTokenHardExpiresAt ?? NOW) - NOW]
}

const json = (error: string) => JSON.stringify({ error })
const HTML = '<html><h1>401 Authorization Required</h1></html>'
const XML = '<?xml version="1.0"?><IntuitResponse><Fault type="AUTHENTICATION"/></IntuitResponse>'

describe('an answer without tokens', () => {
  it.each([
    ['invalid_grant', 400, json('invalid_grant'), 'invalid_grant'],
    ['invalid_grant', 400, '{"error":"invalid_grant","error_description":"Token invalid"}', 'invalid_grant'],
    ['invalid_client', 401, json('invalid_client'), 'invalid_client'],
    ['invalid_client', 400, json('invalid_client'), 'invalid_client'],
    ...['invalid_request', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope', 'something_new'].map(
      (error) => ['request_rejected', 400, json(error), error] as const,
    ),
    ['request_rejected', 400, json('RT1-39-H3-secret'), 'unrecognized_error'],
    ['request_rejected', 400, json('Two words.'), 'unrecognized_error'],
    ['unavailable', 401, XML, undefined],
    ['unavailable', 401, HTML, undefined],
    ['unavailable', 401, '', undefined],
    ['unavailable', 401, undefined, undefined],
    ['unavailable', 401, json('invalid_grant'), 'invalid_grant'],
    ['unavailable', 401, '{"error":{"code":"invalid_client"}}', undefined],
    ['unavailable', 401, '["invalid_client"]', undefined],
    ['unavailable', 400, HTML, undefined],
    ['unavailable', 400, '', undefined],
    ['unavailable', 400, '{"error":""}', undefined],
    ['unavailable', 400, '{"error":null}', undefined],
    ['unavailable', 400, 'null', undefined],
    ['unavailable', 403, HTML, undefined],
    ['unavailable', 403, json('invalid_client'), 'invalid_client'],
    ['unavailable', 404, json('invalid_request'), 'invalid_request'],
    ['unavailable', 301, '', undefined],
    ['unavailable', 302, json('invalid_grant'), 'invalid_grant'],
    ['unavailable', 408, '', undefined],
    ['unavailable', 429, '', undefined],
    ['unavailable', 429, json('invalid_grant'), 'invalid_grant'],
    ['unavailable', 500, json('invalid_grant'), 'invalid_grant'],
    ['unavailable', 503, HTML, undefined],
    ['unavailable', 200, HTML, undefined],
    ['unavailable', 200, '', undefined],
    ['unavailable', 200, json('invalid_grant'), 'invalid_grant'],
    ['unavailable', 204, '', undefined],
  ] as const)('is %s for status %d and %s', (reason, status, text, intuitError) => {
    expect(read(status, text)).toMatchObject({ ok: false, reason, intuitError, intuitTid: '1-tid' })
  })
})

describe('the lifetime of a token', () => {
  it.each([3600, '3600', 0, 1, 86_400, '86400'])('is Intuit’s if it is valid: %j', (value) => {
    expect(lifetimes({ expires_in: value })[0]).toBe(Number(value))
  })

  it.each([8_726_400, '8726400', 157_680_000])('of a refresh token, too: %j', (value) => {
    expect(lifetimes({ x_refresh_token_expires_in: value })[1]).toBe(Number(value))
    expect(lifetimes({ x_refresh_token_hard_expires_in: value })[2]).toBe(Number(value))
  })

  const ODD = [
    ...[1e300, -1, -0.5, 3600.5, Number.MAX_SAFE_INTEGER, 8_726_400_000, '8726400000', '1e300', '-3600', '3600.0'],
    ...['', ' 3600', '0x10', '3600 seconds', 'NaN', 'Infinity', '9'.repeat(40), null, true, [3600], { seconds: 3600 }],
  ]
  it.each(ODD)('is the default if Intuit sends %j', (value) => {
    expect(lifetimes({ expires_in: value })[0]).toBe(3600)
    expect(lifetimes({ x_refresh_token_expires_in: value })[1]).toBe(8_726_400)
    expect(lifetimes({ x_refresh_token_hard_expires_in: value })[2]).toBe(0)
  })

  it.each([86_401, 3_600_000, '3600000'])('of an access token is no more than a day: %j', (value) => {
    expect(lifetimes({ expires_in: value })[0]).toBe(3600)
  })

  it('is the default if Intuit sends none', () => {
    const none = { expires_in: undefined, x_refresh_token_expires_in: undefined }
    expect(lifetimes(none)).toEqual([3600, 8_726_400, 0])
  })

  it('can always be stored, whatever JSON says: a whole number that DynamoDB takes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const odd = { expires_in: value, x_refresh_token_expires_in: value, x_refresh_token_hard_expires_in: value }
        const [access = -1, refresh = -1, hard = -1] = lifetimes(odd)
        for (const seconds of [access, refresh, hard]) expect(Number.isInteger(seconds)).toBe(true)
        expect(access).toBeGreaterThanOrEqual(0)
        expect(access).toBeLessThanOrEqual(86_400)
        for (const seconds of [refresh, hard]) expect(seconds).toBeLessThanOrEqual(6 * 366 * 86_400)
      }),
    )
  })
})

describe('a token', () => {
  it.each([1, 513, 4097, 16_384])('of %d characters is kept', (length) => {
    const [access, refresh] = ['a'.repeat(length), 'r'.repeat(length)]
    const answer = readGood({ access_token: access, refresh_token: refresh })
    expect(answer).toMatchObject({ ok: true, pair: { accessToken: access, refreshToken: refresh } })
  })

  it.each(['a'.repeat(16_385), 'two words', 'line\nend', 'ünïcode', 42, {}, []])(
    'of another form makes the answer one without tokens',
    (value) => {
      expect(readGood({ refresh_token: value })).toMatchObject({ ok: false, reason: 'unavailable' })
      expect(readGood({ access_token: value })).toMatchObject({ ok: false, reason: 'unavailable' })
    },
  )

  it.each([undefined, null, ''])('to refresh with may be missing: %j', (value) => {
    expect(readGood({ refresh_token: value })).toMatchObject({ ok: true, pair: { refreshToken: undefined } })
    expect(readGood({ access_token: value })).toMatchObject({ ok: false })
  })
})

describe('Retry-After', () => {
  const of = (value: string) => parseRetryAfter(new Headers({ 'Retry-After': value }), NOW * 1000)

  it.each([
    ['120', 120],
    [' 120 ', 120],
    ['0', 0],
    ['3600', 3600],
    ['86400', 3600],
    ['9'.repeat(400), 3600],
    [new Date((NOW + 120) * 1000).toUTCString(), 120],
    [new Date((NOW + 9999) * 1000).toUTCString(), 3600],
    [new Date((NOW - 120) * 1000).toUTCString(), 0],
    ['Monday, 21-Sep-26 14:15:20 GMT', 120],
    ['Mon Sep 21 14:15:20 2026', 120],
  ])('%s is %d seconds', (value, seconds) => {
    expect(of(value)).toBe(seconds)
  })

  it.each(['', '-1', '1.5', '1e3', 'soon', '2026-09-21', '120, 60', 'Mon, nonsense', 'Monthly 2026'])(
    '%j says nothing',
    (value) => {
      expect(of(value)).toBeUndefined()
    },
  )

  it('is not there', () => {
    expect(parseRetryAfter(new Headers(), NOW)).toBeUndefined()
  })
})
