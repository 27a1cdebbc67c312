import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { consent } from '../../dev/intuit/client.ts'
import type { Knobs } from '../../dev/intuit/knobs.ts'
import { type Intuit, startIntuit } from '../../dev/intuit/server.ts'
import { createIntuitControl } from '../support/intuit-control.ts'

const REDIRECT = 'http://localhost:8787/oauth/callback'
const PRODUCTION = { clientId: 'prod id', clientSecret: 'prod:secret/+%' }
const SANDBOX = { clientId: 'sandbox-id', clientSecret: 'sandbox-secret' }
const HOUR = 3600
const DAY = 24 * HOUR
const apps = [
  { environment: 'production' as const, ...PRODUCTION, redirectUris: [REDIRECT] },
  { environment: 'sandbox' as const, ...SANDBOX, redirectUris: [REDIRECT] },
]

let intuit: Intuit
let control: ReturnType<typeof createIntuitControl>
beforeEach(async () => {
  intuit = await startIntuit({ apps })
  control = createIntuitControl(intuit.url)
})
afterEach(() => intuit.close())

const authorizeUrl = (over: Record<string, string> = {}) => {
  const parameters = {
    client_id: PRODUCTION.clientId,
    scope: 'com.intuit.quickbooks.accounting',
    redirect_uri: REDIRECT,
  }
  return `${intuit.url}/connect/oauth2?${new URLSearchParams({ ...parameters, response_type: 'code', state: 'a:b&c', ...over })}`
}

const basic = ({ clientId, clientSecret }: typeof PRODUCTION) =>
  `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')}`

const present = (form: Record<string, string>, pair = PRODUCTION, headers: Record<string, string> = {}) =>
  fetch(`${intuit.url}/oauth2/v1/tokens/bearer`, {
    method: 'POST',
    headers: { Authorization: basic(pair), ...headers },
    body: new URLSearchParams(form),
  })

const newCode = async (realmId = '123') =>
  new URL(await consent(authorizeUrl(), { realmId })).searchParams.get('code') ?? ''
const redeem = (code: string, pair = PRODUCTION) =>
  present({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT }, pair)
const refresh = (token: string, pair = PRODUCTION, headers = {}) =>
  present({ grant_type: 'refresh_token', refresh_token: token }, pair, headers)
const connected = async () => (await redeem(await newCode())).json()
const outcome = async (answer: Response) => ({ status: answer.status, body: await answer.text() })
const INVALID_GRANT = {
  status: 400,
  body: '{"error":"invalid_grant","error_description":"Incorrect or invalid refresh token"}',
}

describe('the authorization endpoint of the stand-in', () => {
  it('redirects with code, state and realm id after consent', async () => {
    const back = new URL(await consent(authorizeUrl(), { realmId: '9130347596842384926' }))
    expect(`${back.origin}${back.pathname}`).toBe(REDIRECT)
    expect(new Set(back.searchParams.keys())).toEqual(new Set(['code', 'realmId', 'state']))
    expect(back.searchParams.get('state')).toBe('a:b&c')
    expect(back.searchParams.get('realmId')).toBe('9130347596842384926')
  })

  it('redirects with error and state only after a denial', async () => {
    expect(await consent(authorizeUrl(), 'deny')).toBe(`${REDIRECT}?error=access_denied&state=a%3Ab%26c`)
  })

  it('redirects with the error that the knob sets', async () => {
    await control.turn({ authorizationError: 'server_error' })
    const back = new URL(await consent(authorizeUrl(), { realmId: '123' }))
    expect(Object.fromEntries(back.searchParams)).toEqual({ error: 'server_error', state: 'a:b&c' })
  })

  it('redirects an invalid scope without a consent page', async () => {
    const answer = await fetch(authorizeUrl({ scope: 'everything' }), { redirect: 'manual' })
    expect(answer.headers.get('Location')).toBe(`${REDIRECT}?error=invalid_scope&state=a%3Ab%26c`)
  })

  it.each([
    ['another redirect URI', { redirect_uri: `${REDIRECT}/` }],
    ['an unknown client', { client_id: 'nobody' }],
    ['no state', { state: '' }],
    ['another response type', { response_type: 'token' }],
  ])('shows a page and never redirects for %s', async (_, over) => {
    const answer = await fetch(authorizeUrl(over), { redirect: 'manual' })
    expect(answer.status).toBe(400)
    expect(answer.headers.get('Location')).toBeNull()
    expect(answer.headers.get('Content-Type')).toContain('text/html')
  })

  it('escapes text, runs no script, and accepts one submission', async () => {
    const page = await fetch(authorizeUrl())
    const body = await page.text()
    expect(body).toContain('Müller &amp; Söhne &lt;Wood&gt;')
    expect(body).not.toContain('<script')
    expect(page.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
    const request = /name="request" value="([^"]+)"/.exec(body)?.[1] ?? ''
    const submit = () =>
      fetch(`${intuit.url}/connect/oauth2/decision`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ request, decision: 'allow', realm_id: '1' }),
      })
    expect((await submit()).status).toBe(302)
    expect((await submit()).status).toBe(400)
  })
})

describe('the token endpoint of the stand-in', () => {
  it('exchanges a code for a response with Intuit’s fields', async () => {
    const answer = await redeem(await newCode())
    expect(answer.headers.get('intuit_tid')).toMatch(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/)
    const body = await answer.json()
    expect(body).toEqual({
      token_type: 'bearer',
      expires_in: 3600,
      refresh_token: expect.stringMatching(/^RT1-39-H3-/),
      x_refresh_token_expires_in: 8_726_400,
      access_token: expect.stringMatching(/^eyJ/),
    })
    expect(body.access_token).toHaveLength(1100)
  })

  it('ends the first refresh token when a code is replayed, and its access token stays valid', async () => {
    const code = await newCode()
    const first = await (await redeem(code)).json()
    expect(await outcome(await redeem(code))).toEqual(INVALID_GRANT)
    expect(await outcome(await refresh(first.refresh_token))).toEqual(INVALID_GRANT)
    const headers = { Authorization: `Bearer ${first.access_token}` }
    expect((await fetch(`${intuit.url}/v3/company/123/companyinfo/123`, { headers })).status).toBe(200)
    expect((await fetch(`${intuit.url}/v3/company/456/companyinfo/456`, { headers })).status).toBe(403)
  })

  it('rejects a code after ten minutes, from another app, or with another redirect URI', async () => {
    const code = await newCode()
    expect((await redeem(code, SANDBOX)).status).toBe(400)
    expect(
      (await present({ grant_type: 'authorization_code', code, redirect_uri: 'http://localhost/other' })).status,
    ).toBe(400)
    await control.advance(600)
    expect(await outcome(await redeem(code))).toEqual(INVALID_GRANT)
  })

  it('returns the same refresh token for a day, with decreasing lifetime, then a new one', async () => {
    const first = await connected()
    await control.advance(DAY - 60)
    const second = await (await refresh(first.refresh_token)).json()
    expect(second.refresh_token).toBe(first.refresh_token)
    expect(second.x_refresh_token_expires_in).toBeLessThanOrEqual(8_726_400 - DAY + 60)
    expect(second.access_token).not.toBe(first.access_token)
    await control.advance(120)
    const third = await (await refresh(first.refresh_token)).json()
    expect(third.refresh_token).not.toBe(first.refresh_token)
    expect(third.x_refresh_token_expires_in).toBe(8_726_400)
    expect(await outcome(await refresh(first.refresh_token))).toEqual(INVALID_GRANT)
    expect((await refresh(third.refresh_token)).status).toBe(200)
  })

  it('ends the connection on reuse in strict mode, and respects a grace period', async () => {
    await control.turn({ rotateAfterSeconds: 0, supersededLivesSeconds: 60 })
    const first = await connected()
    const second = await (await refresh(first.refresh_token)).json()
    expect((await refresh(first.refresh_token)).status).toBe(200)
    await control.turn({ supersededLivesSeconds: 0, reuseKills: true })
    await refresh(first.refresh_token)
    expect((await refresh(second.refresh_token)).status).toBe(400)
  })

  it('expires a refresh token after 100 idle days and after five years', async () => {
    const idle = await connected()
    await control.advance(8_726_400)
    expect(await outcome(await refresh(idle.refresh_token))).toEqual(INVALID_GRANT)
    const busy = await connected()
    await control.turn({ hardLivesSeconds: 100 })
    const old = await connected()
    await control.advance(100)
    expect((await refresh(old.refresh_token)).status).toBe(400)
    expect((await refresh(busy.refresh_token)).status).toBe(200)
  })

  it('includes the hard expiry on request, and numbers as strings if the knob says so', async () => {
    const { refresh_token } = await connected()
    const asked = { 'x-include-refresh-token-hard-expires-in': 'true' }
    expect(
      (await (await refresh(refresh_token, PRODUCTION, asked)).json()).x_refresh_token_hard_expires_in,
    ).toBeGreaterThan(156_000_000)
    await control.turn({ numbersAsStrings: true })
    expect((await (await refresh(refresh_token)).json()).expires_in).toBe('3600')
  })

  it('checks the credentials of both apps, and that a token belongs to the app', async () => {
    const { refresh_token } = await connected()
    for (const wrong of [
      { ...PRODUCTION, clientSecret: 'x' },
      { clientId: 'x', clientSecret: 'x' },
    ]) {
      const answer = await refresh(refresh_token, wrong)
      expect(answer.headers.get('intuit_tid')).toMatch(/^1-/)
      expect(await outcome(answer)).toEqual({ status: 401, body: '{"error":"invalid_client"}' })
    }
    expect(await outcome(await refresh(refresh_token, SANDBOX))).toEqual(INVALID_GRANT)
  })

  it.each([
    ['none', '{"error":"invalid_grant"}'],
    ['old', '{"error":"invalid_grant","error_description":"Token invalid"}'],
  ] as const)('words invalid_grant as turned (%s)', async (invalidGrantDescription, body) => {
    await control.turn({ invalidGrantDescription })
    expect(await outcome(await refresh('nothing'))).toEqual({ status: 400, body })
  })

  it('rejects a second refresh while the first is in flight', async () => {
    const { refresh_token } = await connected()
    await control.turn({ tokenDelayMs: 200 })
    const statuses = await Promise.all(
      [refresh(refresh_token), refresh(refresh_token)].map(async (one) => (await one).status),
    )
    expect(statuses.sort()).toEqual([200, 400])
  })
})

describe('the revocation endpoint of the stand-in', () => {
  const revoke = (token: string) =>
    fetch(`${intuit.url}/v2/oauth2/tokens/revoke`, {
      method: 'POST',
      headers: { Authorization: basic(PRODUCTION), 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
    })

  it('revokes by access token or refresh token, once, with empty bodies', async () => {
    const { refresh_token, access_token } = await connected()
    expect(await outcome(await revoke(access_token))).toEqual({ status: 200, body: '' })
    expect(await outcome(await revoke(refresh_token))).toEqual({ status: 400, body: '' })
    expect((await refresh(refresh_token)).status).toBe(400)
  })
})

describe('faults and knobs', () => {
  it('loses a response after processing, or a request before it', async () => {
    await control.turn({ rotateAfterSeconds: 0 })
    const { refresh_token } = await connected()
    await control.fault({ endpoint: 'token', fault: { kind: 'reset_before' } })
    await expect(refresh(refresh_token)).rejects.toThrow()
    const second = await (await refresh(refresh_token)).json()
    await control.fault({ endpoint: 'token', fault: { kind: 'reset_after' } })
    await expect(refresh(second.refresh_token)).rejects.toThrow()
    expect((await refresh(second.refresh_token)).status).toBe(400)
  })

  it('applies faults in order, as often as requested', async () => {
    const { refresh_token } = await connected()
    await control.fault({ endpoint: 'token', times: 2, fault: { kind: 'status', status: 503, body: '<html>' } })
    await control.fault({ endpoint: 'token', fault: { kind: 'invalid_grant_outage' } })
    expect([503, 503, 400, 200]).toEqual([
      (await refresh(refresh_token)).status,
      (await refresh(refresh_token)).status,
      (await refresh(refresh_token)).status,
      (await refresh(refresh_token)).status,
    ])
  })

  it('reshapes a successful response, and its tokens stay valid', async () => {
    const { refresh_token } = await connected()
    const reshape = { kind: 'reshape', set: { expires_in: 1e300, more: [1] }, omit: ['refresh_token'] }
    await control.fault({ endpoint: 'token', fault: reshape })
    const answer = await refresh(refresh_token)
    const body = await answer.json()
    expect(body).toMatchObject({ token_type: 'bearer', expires_in: 1e300, more: [1], access_token: expect.any(String) })
    expect(body).not.toHaveProperty('refresh_token')
    expect((await refresh(refresh_token)).status).toBe(200)
  })

  it('rejects an unknown knob and an invalid value', async () => {
    const wrong: unknown[] = [{ noSuchKnob: 1 }, { tokenDelayMs: 'long' }]
    for (const knobs of wrong) await expect(control.turn(knobs as Partial<Knobs>)).rejects.toThrow('400')
  })

  it('shows only the hashes of tokens', async () => {
    const { refresh_token, access_token } = await connected()
    const shown = JSON.stringify(await control.state())
    expect(shown).not.toContain(refresh_token)
    expect(shown).not.toContain(access_token)
  })
})

describe('a restart of the stand-in', () => {
  it('keeps codes and tokens, and names a damaged file and starts without it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stand-in-'))
    const stateFile = join(folder, 'intuit.json')
    await intuit.close()
    intuit = await startIntuit({ apps, stateFile })
    const { refresh_token } = await connected()
    await intuit.close()
    intuit = await startIntuit({ apps, stateFile })
    expect((await refresh(refresh_token)).status).toBe(200)
    await intuit.close()
    writeFileSync(stateFile, '{"grants":')
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    intuit = await startIntuit({ apps, stateFile })
    expect(stderr).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(`cannot read ${stateFile} `))
    stderr.mockRestore()
    expect((await refresh(refresh_token)).status).toBe(400)
    rmSync(folder, { recursive: true })
  })
})
