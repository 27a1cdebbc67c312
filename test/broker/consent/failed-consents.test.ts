import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createBrowser } from '../../support/browser.ts'
import { freshKey } from '../../support/fixtures.ts'
import { type Service, startService } from '../../support/worker-harness.ts'

const HTML = { headers: { Accept: 'text/html,application/xhtml+xml' } }
const START_LINK_KEYS = `a:${randomBytes(32).toString('base64')}`
const DOWN = { endpoint: 'token', fault: { kind: 'status', status: 503 } } as const

const parseState = (callbackPath: string) => new URLSearchParams(callbackPath.split('?')[1]).get('state') ?? ''
const toDenial = (callbackPath: string) =>
  `/oauth/callback?error=access_denied&state=${encodeURIComponent(parseState(callbackPath))}`
/** The button's address, as a browser reads it. */
const findRetry = (page: string) =>
  /<a class="button" href="([^"]+)">Try again/.exec(page)?.[1]?.replaceAll('&amp;', '&')

describe('a failed consent that started with a signed link', () => {
  let service: Service
  beforeAll(async () => {
    service = await startService({ vars: { START_LINKS: 'signed', START_LINK_KEYS } })
  })
  afterAll(() => service.close())
  afterEach(() => service.intuit.reset())

  const issueLink = async (companyKey: string, body: object = {}) => {
    const answer = await service.api(`/api/connections/${companyKey}/start-links`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    const url = new URL((await answer.json()).url)
    return `${url.pathname}${url.search}`
  }
  /** Lets the link expire before the state. */
  const expireLink = async (callbackPath: string) => {
    const item = await service.dynamo.item(`state#${parseState(callbackPath).split(':')[1]}`)
    if (!item) throw new Error('There is no state.')
    await service.dynamo.put({ ...item, link_expires_at: { N: '1' } })
  }

  it.each([
    ['with a name', { company_name: 'Beach & Söhne' }],
    ['without a name', {}],
    ['with the longest name', { company_name: '🏖'.repeat(200) }],
  ])('links back to the same link %s on each page about the failure', async (_, body) => {
    const browser = createBrowser(service)
    const link = await issueLink(freshKey(), body)
    const answer = await browser.open(toDenial(await browser.consented(link)), HTML)
    expect(answer.status).toBe(400)
    for (const page of [await answer.text(), await (await browser.open('/oauth/failed', HTML)).text()]) {
      const retry = findRetry(page) ?? ''
      expect(Object.fromEntries(new URLSearchParams(retry.split('?')[1]))).toEqual(
        Object.fromEntries(new URLSearchParams(link.split('?')[1])),
      )
      expect((await browser.open(retry)).status).toBe(302)
    }
  })

  it('sets a cookie within the size limit of browsers, whatever failed', async () => {
    const browser = createBrowser(service)
    const path = await browser.consented(await issueLink(freshKey(), { company_name: '🏖'.repeat(200) }))
    await service.intuit.fault({ ...DOWN, times: 2 })
    const answer = await browser.open(path, HTML)
    const cookie = answer.headers.getSetCookie().find((one) => one.startsWith('__Host-problem=')) ?? ''
    expect(cookie.length).toBeGreaterThan(0)
    expect(cookie.length).toBeLessThan(4096)
  })

  it('returns the same link in JSON', async () => {
    const browser = createBrowser(service)
    const answer = await browser.open(toDenial(await browser.consented(await issueLink(freshKey()))))
    const { start_url: startUrl, detail } = await answer.json()
    expect(detail).toContain('Begin again with the same start link.')
    expect(detail).not.toContain('sig=')
    const { pathname, search } = new URL(startUrl)
    expect((await browser.open(`${pathname}${search}`)).status).toBe(302)
  })

  it('asks for a new link if that one has expired, and offers no button', async () => {
    const browser = createBrowser(service)
    const path = await browser.consented(await issueLink(freshKey()))
    await expireLink(path)
    const answer = await browser.open(toDenial(path), HTML)
    const page = await answer.text()
    expect(page).toContain('ask the person who sent you the link for a new one')
    expect(findRetry(page)).toBeUndefined()
    expect(await (await browser.open('/oauth/failed', HTML)).text()).toBe(page)
  })

  it.each(['unknown', 'of another browser'])('offers no button that cannot work if the state is %s', async (which) => {
    const key = freshKey()
    const path =
      which === 'unknown'
        ? `/oauth/callback?code=a&state=${key}:AAAAAAAAAAAAAAAAAAAAAA`
        : await (async () => createBrowser(service).consented(await issueLink(key)))()
    const page = await (await createBrowser(service).open(path, HTML)).text()
    expect(findRetry(page)).toBeUndefined()
    expect(page).toContain('open the link that you received again')
  })
})

describe('a failed consent', () => {
  let service: Service
  beforeAll(async () => {
    service = await startService()
  })
  afterAll(() => service.close())
  afterEach(async () => {
    service.dynamo.heal()
    await service.intuit.reset()
  })

  const REALM = '9130347596842384926'
  const storesFail = () =>
    service.dynamo.fault({
      ...{ kind: 'error' as const, status: 500, type: 'InternalServerError', operation: 'UpdateItem' },
      when: ({ body }) => JSON.stringify(body).includes('written_by'),
    })
  const answerTokensWith = (status: number, body: string) =>
    service.intuit.fault({ endpoint: 'token', times: 2, fault: { kind: 'status', status, body } })
  const none = async () => undefined

  /** Failures after the state is claimed: the status, how to cause it, and the callback path. */
  const FAILURES: [string, number, (path: string) => Promise<unknown>, (path: string) => string][] = [
    ['the owner declines', 400, none, toDenial],
    ['Intuit is down', 502, () => service.intuit.fault({ ...DOWN, times: 2 }), (path) => path],
    ['Intuit rejects the secret', 502, () => answerTokensWith(401, '{"error":"invalid_client"}'), (path) => path],
    ['Intuit refuses the code', 502, () => answerTokensWith(400, '{"error":"invalid_grant"}'), (path) => path],
    ['Intuit names no company', 409, none, (path) => path.replace(/&realmId=\d+/, '')],
    ['another company was chosen', 409, none, (path) => path.replace(/realmId=\d+/, 'realmId=2')],
  ]

  it.each(FAILURES)(
    'of a connected company says that it is still connected if %s',
    async (_, status, fail, callback) => {
      for (const options of [HTML, {}]) {
        const key = freshKey()
        await service.connect(key, { companyName: 'Beach Blend', realmId: REALM })
        const path = await service.consented(key, { companyName: 'Beach Blend', realmId: REALM })
        await fail(path)
        const answer = await service.fetch(callback(path), options)
        expect(answer.status).toBe(status)
        const text = await answer.text()
        expect(text).toContain(`The key ${key} is still connected, with the tokens that it had before.`)
        expect(text).not.toMatch(/(is|was) not connected|nothing was connected/i)
        if (options === HTML) expect(text).toContain('<bdi>Beach Blend</bdi> is still connected')
        await service.intuit.heal()
        expect((await service.api(`/api/token/${key}`)).status).toBe(200)
      }
    },
  )

  it.each(FAILURES.slice(0, 4))(
    'of an unconnected company says that it is not connected if %s',
    async (_, status, fail, callback) => {
      const key = freshKey()
      const path = await service.consented(key, { companyName: 'Beach Blend' })
      await fail(path)
      const answer = await service.fetch(callback(path), HTML)
      expect(answer.status).toBe(status)
      const page = await answer.text()
      expect(page).toContain('<bdi>Beach Blend</bdi> is not connected.')
      expect(page).toContain(`The key ${key} is not connected.`)
      expect(await (await service.api(`/api/connections/${key}`)).json()).toMatchObject({ connected: false })
    },
  )

  it('of a company that Intuit no longer accepts says that it needs a new permission', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: '4620816365000000888' })
    await service.intuit.kill('4620816365000000888')
    await service.api(`/api/token/${key}/refresh`, { method: 'POST' })
    const answer = await service.fetch(toDenial(await service.consented(key)), HTML)
    const page = await answer.text()
    expect(page).toContain('was connected before and needs new permission.')
    expect(page).not.toContain('still connected')
  })

  it.each(['before', 'not'])(
    'does not say whether the company is connected while the tokens are being stored: %s connected',
    async (was) => {
      const key = freshKey()
      if (was === 'before') await service.connect(key, { realmId: REALM })
      const path = await service.consented(key, { realmId: REALM })
      storesFail()
      const answer = await service.fetch(path, HTML)
      expect(answer.status).toBe(503)
      const page = await answer.text()
      expect(page).toContain('it is not known yet whether the company is connected')
      expect(page).not.toMatch(/still connected|is not connected|not connected yet/)
    },
  )

  it('says nothing about the company before the state is claimed', async () => {
    const path = await service.consented(freshKey())
    service.dynamo.fault({ kind: 'error', status: 500, type: 'InternalServerError' })
    const answer = await service.fetch(path, HTML)
    expect(answer.status).toBe(503)
    expect(await answer.text()).not.toMatch(/still connected|is not connected|not connected yet/)
  })

  it('explains how to change the company of a key on purpose', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: REALM })
    const other = async (options?: RequestInit) =>
      service.fetch(await service.consented(key, { realmId: '4620816365000000999' }), options)
    const page = await (await other(HTML)).text()
    expect(page).toContain('ask them to disconnect it first')
    const problem = await (await other()).json()
    expect(problem).toMatchObject({ code: 'realm_mismatch' })
    expect(problem.detail).toContain(`DELETE /api/connections/${key}`)
    expect((await service.api(`/api/connections/${key}`, { method: 'DELETE' })).status).toBe(200)
    expect((await other()).status).toBe(200)
  })
})
