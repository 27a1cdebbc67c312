import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { type ExpectedIdToken, parseIdToken } from '../../src/intuit/id-token.ts'

const EXPECTED: ExpectedIdToken = {
  issuer: 'https://oauth.platform.intuit.com/op/v1',
  clientId: 'app',
  nonce: 'nonce-of-this-consent',
  now: 1_800_000_000,
}
const CLAIMS = {
  iss: EXPECTED.issuer,
  aud: ['app'],
  sub: 'person',
  exp: EXPECTED.now + 3600,
  nonce: 'nonce-of-this-consent',
  realmid: '9130347957983546',
}

const sign = (claims: Record<string, unknown>) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32))

describe('an ID token of the token endpoint', () => {
  it('proves the company and the person', async () => {
    const result = parseIdToken(await sign(CLAIMS), EXPECTED)
    expect(result).toEqual({ ok: true, realmId: '9130347957983546', subject: 'person' })
  })

  it.each([
    ['as text named realmId', { realmid: undefined, realmId: '1' }, '1'],
    ['as a number named realmid', { realmid: 193514 }, '193514'],
    ['as a number named realmId', { realmid: undefined, realmId: 193514 }, '193514'],
    ['in both spellings', { realmId: '9130347957983546' }, '9130347957983546'],
    ['not at all', { realmid: undefined }, undefined],
  ])('names the company %s', async (_, changed, realmId) => {
    const result = parseIdToken(await sign({ ...CLAIMS, ...changed }), EXPECTED)
    expect(result).toEqual({ ok: true, realmId, subject: 'person' })
  })

  it('keeps all digits of a company that comes as a number', async () => {
    const payload = JSON.stringify({ ...CLAIMS, realmid: 'REALM' }).replace('"REALM"', '9341453397563321999')
    const idToken = `${btoa('{"alg":"RS256"}')}.${btoa(payload).replaceAll('=', '')}.c2ln`
    expect(parseIdToken(idToken, EXPECTED)).toMatchObject({ ok: true, realmId: '9341453397563321999' })
  })

  it.each([
    ['another issuer', { iss: 'https://oauth.platform.intuit.com/op/v2' }, 'iss'],
    ['the issuer with a slash at the end', { iss: `${EXPECTED.issuer}/` }, 'iss'],
    ['another app as audience', { aud: 'other' }, 'aud'],
    ['an audience that only contains the name', { aud: ['app2', 'ap'] }, 'aud'],
    ['no audience', { aud: [] }, 'aud'],
    ['another authorized party', { aud: ['app', 'other'], azp: 'other' }, 'aud'],
    ['an end in the past', { exp: EXPECTED.now - 1 }, 'exp'],
    ['an end right now', { exp: EXPECTED.now }, 'exp'],
    ['the nonce of another consent', { nonce: 'other' }, 'nonce'],
    ['no nonce', { nonce: undefined }, 'nonce'],
    ['an empty company', { realmid: '' }, 'realmid'],
    ['a company with a leading zero', { realmid: '0193514' }, 'realmid'],
    ['a company of 20 digits', { realmid: '12345678901234567890' }, 'realmid'],
    ['a company that is a fraction', { realmid: 1.5 }, 'realmid'],
    ['a negative company', { realmid: -5 }, 'realmid'],
    ['a company that is null', { realmid: null }, 'realmid'],
    ['two different companies', { realmId: '2' }, 'realmid'],
    ['no subject', { sub: undefined }, 'format'],
    ['no end', { exp: undefined }, 'format'],
    ['an audience of another type', { aud: { app: true } }, 'format'],
  ])('is refused with %s', async (_, changed, fault) => {
    expect(parseIdToken(await sign({ ...CLAIMS, ...changed }), EXPECTED)).toEqual({ ok: false, fault })
  })

  it.each([
    ['no JWT', 'x'],
    ['an empty text', ''],
    ['three dots', '...'],
    ['an array', `a.${btoa('[]')}.b`],
  ])('is refused if it is %s', (_, text) => {
    expect(parseIdToken(text, EXPECTED)).toEqual({ ok: false, fault: 'format' })
  })

  it('needs no nonce where the request sent none', async () => {
    const idToken = await sign({ ...CLAIMS, nonce: undefined })
    expect(parseIdToken(idToken, { ...EXPECTED, nonce: undefined })).toMatchObject({ ok: true })
  })
})
