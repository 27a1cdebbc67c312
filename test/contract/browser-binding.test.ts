import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { createBrowser } from '../support/browser.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const START_LINK_KEYS = `a:${randomBytes(32).toString('base64')}`
const INVALID_STATE = { status: 400, code: 'invalid_state' }
const problem = async (answer: Response) => ({ status: answer.status, code: (await answer.json()).code })

describe('BIND_BROWSER', () => {
  it('is on with signed links, off with open ones, and may be set for either', () => {
    const bindsBrowser = (over: Record<string, string>) =>
      readConfig({ START_LINK_KEYS, ...over }).startLinks().bindsBrowser
    expect(bindsBrowser({})).toBe(false)
    expect(bindsBrowser({ START_LINKS: 'signed' })).toBe(true)
    expect(bindsBrowser({ BIND_BROWSER: 'true' })).toBe(true)
    expect(bindsBrowser({ START_LINKS: 'signed', BIND_BROWSER: 'false' })).toBe(false)
    expect(() => bindsBrowser({ BIND_BROWSER: 'yes' })).toThrow('BIND_BROWSER must be true or false')
  })
})

describe('a consent bound to its browser', () => {
  let service: Service
  beforeAll(async () => {
    service = await startService({ vars: { BIND_BROWSER: 'true' } })
  })
  afterAll(() => service.close())
  beforeEach(() => service.intuit.reset())

  let keys = 0
  const freshKey = () => `company-${++keys}`
  const exchanges = async () => (await service.intuit.state()).counts.exchange

  it('gives the browser a cookie for this host alone, out of reach of scripts, for as long as the state', async () => {
    const answer = await service.fetch('/oauth/start/beach')
    const [cookie = '', ...others] = answer.headers.getSetCookie()
    expect(others).toEqual([])
    const nonce = new URL(answer.headers.get('Location') ?? '').searchParams.get('state')?.split(':')[1] ?? ''
    const [pair = '', ...attributes] = cookie.split('; ')
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Lax', 'Secure'])
    const [name, secret = ''] = pair.split('=')
    expect(name).toBe(`__Host-start-${nonce.slice(0, 12)}`)
    expect(Buffer.from(secret, 'base64url').byteLength).toBeGreaterThanOrEqual(16)
    const item = await service.dynamo.item(`state#${nonce}`)
    expect(item?.['browser_hash']?.S).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify(item)).not.toContain(secret)
  })

  it('ends in the browser that started it, and only that browser sees its outcome', async () => {
    const browser = createBrowser(service)
    const path = await browser.consented(`/oauth/start/${freshKey()}?company_name=Beach%20Blend`)
    expect((await browser.open(path)).status).toBe(200)
    const detail = async (visitor: typeof browser) => (await (await visitor.open(path)).json()).detail
    expect(await detail(browser)).toContain('Beach Blend was connected by this link')
    expect(await detail(createBrowser(service))).not.toContain('Beach Blend')
  })

  it('does not end in another browser, and no other browser can use it', async () => {
    const [victim, attacker] = [createBrowser(service), createBrowser(service)]
    const planted = await attacker.consented(`/oauth/start/${freshKey()}`)
    await victim.open(`/oauth/start/${freshKey()}`)
    for (const browser of [createBrowser(service), victim]) {
      expect(await problem(await browser.open(planted))).toEqual(INVALID_STATE)
    }
    expect(await exchanges()).toBe(0)
    expect((await attacker.open(planted)).status).toBe(200)
  })

  it('is not denied by somebody who has seen its address', async () => {
    const browser = createBrowser(service)
    const path = await browser.consented(`/oauth/start/${freshKey()}`)
    const state = new URL(path, service.url).searchParams.get('state') ?? ''
    const denial = `/oauth/callback?error=access_denied&state=${encodeURIComponent(state)}`
    expect(await problem(await service.fetch(denial))).toEqual(INVALID_STATE)
    expect((await browser.open(path)).status).toBe(200)
  })

  it('does not end with the cookie of another state, whatever name it is given', async () => {
    const browser = createBrowser(service)
    const paths = [
      await browser.consented(`/oauth/start/${freshKey()}`),
      await browser.consented(`/oauth/start/${freshKey()}`),
    ]
    const [[one = '', secret = ''] = [], [other = '', otherSecret = ''] = []] = [...browser.jar]
    browser.jar.set(one, otherSecret).set(other, secret)
    for (const path of paths) expect(await problem(await browser.open(path))).toEqual(INVALID_STATE)
    expect(await exchanges()).toBe(0)
  })

  it('goes on beside others in one browser, in any order', async () => {
    const browser = createBrowser(service)
    const paths: string[] = []
    for (let count = 0; count < 5; count++) paths.push(await browser.consented(`/oauth/start/${freshKey()}`))
    for (const path of paths.reverse()) expect((await browser.open(path)).status).toBe(200)
  })

  it('leaves no more than sixteen cookies in a browser, the newest ones', async () => {
    const browser = createBrowser(service)
    const first = await browser.consented(`/oauth/start/${freshKey()}`)
    for (let count = 0; count < 20; count++) await browser.open(`/oauth/start/${freshKey()}`)
    expect(browser.jar.size).toBe(16)
    const last = await browser.consented(`/oauth/start/${freshKey()}`)
    expect(browser.jar.size).toBe(16)
    expect(await problem(await browser.open(first))).toEqual(INVALID_STATE)
    expect((await browser.open(last)).status).toBe(200)
  })

  it('costs the table no more than one that is not bound', async () => {
    const browser = createBrowser(service)
    service.dynamo.requests.length = 0
    await browser.open(`/oauth/start/${freshKey()}`)
    expect(service.dynamo.requests).toHaveLength(2)
  })
})
