import { createHash } from 'node:crypto'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { consent } from '../../dev/intuit/client.ts'
import { type Intuit, startIntuit } from '../../dev/intuit/server.ts'
import { createIntuitControl } from '../support/intuit-control.ts'

const REDIRECT = 'http://localhost:8787/oauth/callback'
const APP = { clientId: 'app', clientSecret: 'secret' }
const REALM = '9130347596842384926'
const OPENID = { scope: 'com.intuit.quickbooks.accounting openid', nonce: 'n-of-this-consent' }

let intuit: Intuit
let control: ReturnType<typeof createIntuitControl>
beforeEach(async () => {
  intuit = await startIntuit({ apps: [{ environment: 'production', ...APP, redirectUris: [REDIRECT] }] })
  control = createIntuitControl(intuit.url)
})
afterEach(() => intuit.close())

const authorizationUrl = (parameters: Record<string, string>) => {
  const request = { client_id: APP.clientId, scope: 'com.intuit.quickbooks.accounting', redirect_uri: REDIRECT }
  return `${intuit.url}/connect/oauth2?${new URLSearchParams({ ...request, response_type: 'code', state: 's', ...parameters })}`
}

const exchange = async (parameters: Record<string, string>, proof: Record<string, string> = {}) => {
  const back = new URL(await consent(authorizationUrl(parameters), { realmId: REALM }))
  const code = back.searchParams.get('code') ?? ''
  return fetch(`${intuit.url}/oauth2/v1/tokens/bearer`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`${APP.clientId}:${APP.clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT, ...proof }),
  })
}

describe('an ID token of the stand-in', () => {
  it('contains company, app, nonce and issuer, and verifies with the keys of the discovery document', async () => {
    const { id_token } = await (await exchange(OPENID)).json()
    const metadata = await (await fetch(`${intuit.url}/.well-known/openid_configuration`)).json()
    const { payload } = await jwtVerify(id_token, createRemoteJWKSet(new URL(metadata.jwks_uri)), {
      issuer: metadata.issuer,
      audience: APP.clientId,
      algorithms: ['RS256'],
    })
    expect(payload).toMatchObject({ realmid: REALM, nonce: OPENID.nonce, sub: expect.any(String) })
  })

  it('is issued only if the consent asked for openid', async () => {
    expect(await (await exchange({})).json()).not.toHaveProperty('id_token')
  })

  it.each([
    ['wrong_issuer', { iss: 'https://issuer.example' }],
    ['wrong_audience', { aud: ['another-app'] }],
    ['wrong_nonce', { nonce: 'the-nonce-of-another-consent' }],
    ['foreign_realm', { realmid: '9999999999999999999' }],
  ] as const)('is %s if the knob says so', async (idToken, claims) => {
    await control.turn({ idToken })
    const { id_token } = await (await exchange(OPENID)).json()
    expect(decodeJwt(id_token)).toMatchObject(claims)
  })

  it('is expired, without a company, malformed or missing if the knob says so', async () => {
    const issue = async () => (await (await exchange(OPENID)).json()).id_token
    await control.turn({ idToken: 'expired' })
    expect(decodeJwt(await issue()).exp).toBeLessThan(Date.now() / 1000)
    await control.turn({ idToken: 'no_realm' })
    expect(decodeJwt(await issue())).not.toHaveProperty('realmid')
    await control.turn({ idToken: 'malformed' })
    expect(() => decodeJwt('no-id-token')).toThrow()
    expect(await issue()).toBe('no-id-token')
    await control.turn({ idToken: 'missing' })
    expect(await issue()).toBeUndefined()
  })
})

describe('PKCE at the stand-in', () => {
  const verifier = 'v'.repeat(43)
  const challenged = {
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }

  it('redeems a code with the verifier of its challenge', async () => {
    expect((await exchange(challenged, { code_verifier: verifier })).status).toBe(200)
  })

  it.each([
    ['with another verifier', challenged, { code_verifier: 'w'.repeat(43) }],
    ['without a verifier', challenged, {}],
    ['with a verifier but no challenge', {}, { code_verifier: verifier }],
  ])('refuses a code %s', async (_, parameters, proof) => {
    expect((await exchange(parameters, proof)).status).toBe(400)
  })

  it.each([
    ['plain', { ...challenged, code_challenge_method: 'plain' }],
    ['no method', { code_challenge: challenged.code_challenge }],
    ['a challenge of another form', { ...challenged, code_challenge: 'short' }],
  ])('rejects an authorization request with %s', async (_, parameters) => {
    expect((await fetch(authorizationUrl(parameters))).status).toBe(400)
  })
})
