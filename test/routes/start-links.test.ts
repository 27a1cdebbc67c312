import { spawn } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { createLinkSigner } from '../../src/crypto/link-signer.ts'
import { createBrowser } from '../support/browser.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const newKey = (kid: string) => ({ kid, bytes: new Uint8Array(randomBytes(32)) })
const asVariable = (...keys: ReturnType<typeof newKey>[]) =>
  keys.map(({ kid, bytes }) => `${kid}:${Buffer.from(bytes).toString('base64')}`).join(',')
const now = () => Math.floor(Date.now() / 1000)

const [first, second, foreign] = [newKey('first'), newKey('second'), newKey('foreign')]
const link = { companyKey: 'beach', companyName: 'Beach Blend', expiresAt: 1_790_000_000 }

const problem = async (answer: Response) => ({ status: answer.status, code: (await answer.json()).code })
const REFUSED = { status: 403, code: 'invalid_start_link' }
const post = (body?: string, type = 'application/json'): RequestInit => ({
  method: 'POST',
  ...(body === undefined ? {} : { body, headers: { 'Content-Type': type } }),
})
const toPath = (url: string) => new URL(url).pathname + new URL(url).search

describe('the signature of a link', () => {
  it('is HMAC-SHA256 as Node computes it, by the first key', async () => {
    const text = JSON.stringify(['start-link:v1', 'first', 'beach', 'Beach Blend', 1_790_000_000])
    const mac = createHmac('sha256', first.bytes).update(text).digest('base64url')
    expect(await createLinkSigner(() => [first, second]).sign(link)).toEqual({ kid: 'first', mac })
  })

  it('verifies by any key, and by its own one alone', async () => {
    const signature = await createLinkSigner(() => [second]).sign(link)
    if (!signature) throw new Error('not signed')
    expect(await createLinkSigner(() => [first, second]).verify(link, signature)).toBe(true)
    expect(await createLinkSigner(() => [first]).verify(link, signature)).toBe(false)
    expect(await createLinkSigner(() => [first, second]).verify(link, { ...signature, kid: 'first' })).toBe(false)
    expect(await createLinkSigner(() => [{ ...first, kid: 'second' }]).verify(link, signature)).toBe(false)
  })

  it.each([
    ['key', { companyKey: 'beach2' }],
    ['name', { companyName: 'Other' }],
    ['absence of a name', { companyName: undefined }],
    ['expiry', { expiresAt: link.expiresAt + 1 }],
  ])('does not fit another %s', async (_, change) => {
    const signer = createLinkSigner(() => [first])
    const signature = await signer.sign(link)
    if (!signature) throw new Error('not signed')
    expect(await signer.verify(link, signature)).toBe(true)
    expect(await signer.verify({ ...link, ...change }, signature)).toBe(false)
  })

  it('is absent where there is no key', async () => {
    expect(await createLinkSigner(() => []).sign(link)).toBeUndefined()
  })
})

describe('START_LINKS', () => {
  it('is open by default, and binds the keys to their form and to the mode', () => {
    expect(readConfig({}).startLinks()).toMatchObject({ mode: 'open', keys: [] })
    const env = { START_LINKS: 'signed', START_LINK_KEYS: asVariable(first, second) }
    expect(readConfig(env).startLinks()).toMatchObject({ mode: 'signed', keys: [first, second] })
    expect(() => readConfig({ START_LINKS: 'signed' }).startLinks()).toThrow('START_LINK_KEYS is missing')
    expect(() => readConfig({ START_LINKS: 'closed' }).startLinks()).toThrow('START_LINKS must be open or signed')
    expect(() => readConfig({ START_LINK_KEYS: 'a:b' }).startLinks()).toThrow('START_LINK_KEYS must be kid:base64')
  })
})

describe('a service with signed links', () => {
  let service: Service
  beforeAll(async () => {
    service = await startService({
      vars: { START_LINKS: 'signed', START_LINK_KEYS: asVariable(first, second), BIND_BROWSER: 'false' },
    })
  })
  afterAll(() => service.close())
  beforeEach(() => {
    service.dynamo.requests.length = 0
  })

  const issued = async (key: string, body?: object) => {
    const answer = await service.api(
      `/api/connections/${key}/start-links`,
      post(body === undefined ? undefined : JSON.stringify(body)),
    )
    expect(answer.status).toBe(201)
    return answer.json()
  }

  it('makes a link at its own origin that lives a day, without asking the table', async () => {
    const before = now()
    const answer = await service.api('/api/connections/beach/start-links', {
      method: 'POST',
      headers: { Host: 'evil' },
    })
    expect(answer.headers.get('Cache-Control')).toContain('no-store')
    const { url, expires_at, ...rest } = await answer.json()
    expect(rest).toEqual({})
    expect(url).toMatch(/^http:\/\/localhost:8787\/oauth\/start\/beach\?exp=\d+&kid=first&sig=[\w-]{43}$/)
    expect(expires_at).toBeGreaterThanOrEqual(before + 86_400)
    expect(expires_at).toBeLessThanOrEqual(now() + 86_400)
    expect(service.dynamo.requests).toEqual([])
  })

  it('lets in who was sent a link, again until it expires', async () => {
    const { url, expires_at } = await issued('let-in', { company_name: ' Beach & Söhne ', expires_in: 3600 })
    expect(expires_at).toBeLessThanOrEqual(now() + 3600)
    const answer = await createBrowser(service).connect(toPath(url))
    expect(await answer.json()).toMatchObject({ company_key: 'let-in', company_name: 'Beach & Söhne' })
    expect((await service.fetch(toPath(url))).status).toBe(302)
  })

  it('lets in who was sent a link of a key on its way out', async () => {
    const expiresAt = now() + 3600
    const signature = await createLinkSigner(() => [second]).sign({ ...link, expiresAt })
    const query = `company_name=Beach%20Blend&exp=${expiresAt}&kid=second&sig=${signature?.mac}`
    expect((await service.fetch(`/oauth/start/beach?${query}`)).status).toBe(302)
  })

  const altered: [string, (path: string) => string][] = [
    ['without a signature', () => '/oauth/start/beach'],
    ['without its expiry', (path) => path.replace(/exp=\d+&/, '')],
    ['without its kid', (path) => path.replace('kid=first&', '')],
    ['without its mac', (path) => path.replace(/&sig=.*/, '')],
    ['with an empty mac', (path) => path.replace(/sig=.*/, 'sig=')],
    ['with a longer mac', (path) => `${path}A`],
    ['with two macs', (path) => `${path}&${/sig=.*/.exec(path)?.[0]}`],
    ['with a flipped bit', (path) => path.replace(/sig=(.)/, (_, one) => `sig=${one === 'A' ? 'B' : 'A'}`)],
    ['with a later expiry', (path) => path.replace(/exp=(\d+)/, (_, at) => `exp=${Number(at) + 1}`)],
    ['with an expiry that is no number', (path) => path.replace(/exp=\d+/, 'exp=NaN')],
    ['of another company key', (path) => path.replace('/beach?', '/beach-2?')],
    ['with another name', (path) => path.replace('Beach', 'Peach')],
    ['without its name', (path) => path.replace(/company_name=[^&]+&/, '')],
    ['of an unknown key', (path) => path.replace('kid=first', 'kid=third')],
    ['of another key of ours', (path) => path.replace('kid=first', 'kid=second')],
  ]
  it.each(altered)('refuses a link %s and stores nothing', async (_, alter) => {
    const { url } = await issued('beach', { company_name: 'Beach' })
    expect(await problem(await service.fetch(alter(toPath(url))))).toEqual(REFUSED)
    expect(service.dynamo.requests).toEqual([])
  })

  it('refuses a link of somebody else’s key, and one that has expired', async () => {
    for (const [key, expiresAt] of [[foreign, now() + 3600] as const, [first, now()] as const]) {
      const signature = await createLinkSigner(() => [{ ...key, kid: 'first' }]).sign({ ...link, expiresAt })
      const query = `company_name=Beach%20Blend&exp=${expiresAt}&kid=first&sig=${signature?.mac}`
      expect(await problem(await service.fetch(`/oauth/start/beach?${query}`))).toEqual(REFUSED)
    }
    expect(service.dynamo.requests).toEqual([])
  })

  const bodies: [string, RequestInit, string][] = [
    ['that is not JSON', post('{'), 'invalid_request'],
    ['that is a list', post('[]'), 'invalid_request'],
    ['that is null', post('null'), 'invalid_request'],
    ['that is not UTF-8', { ...post('{}'), body: new Uint8Array([0x22, 0xff, 0x22]) }, 'invalid_request'],
    ['of another type', post('{}', 'text/plain'), 'invalid_request'],
    ['that is a form', post('company_name=a', 'application/x-www-form-urlencoded'), 'invalid_request'],
    ['with an unknown member', post('{"company":"a"}'), 'invalid_request'],
    ['with a name that is a number', post('{"company_name":5}'), 'invalid_company_name'],
    ['with a name that is null', post('{"company_name":null}'), 'invalid_company_name'],
    ['with a name of 201 characters', post(JSON.stringify({ company_name: 'a'.repeat(201) })), 'invalid_company_name'],
    ['with a control character', post('{"company_name":"a\\u0007"}'), 'invalid_company_name'],
    ['with half a character', post('{"company_name":"a\\ud800"}'), 'invalid_company_name'],
    ['with too short a life', post('{"expires_in":59}'), 'invalid_request'],
    ['with too long a life', post('{"expires_in":2592001}'), 'invalid_request'],
    ['with half a second', post('{"expires_in":60.5}'), 'invalid_request'],
    ['with a life in words', post('{"expires_in":"60"}'), 'invalid_request'],
  ]
  it.each([
    ['with its length', (text: string) => text],
    ['without its length', (text: string) => new Blob([text]).stream()],
  ])('rejects a body of more than 4096 bytes that is sent %s', async (_, toBody) => {
    const send = (length: number) => {
      // Node sends a stream only with `duplex`, which the types of `fetch` do not know.
      const init = {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: toBody(`{"company_name":"a"${' '.repeat(length - 20)}}`),
        duplex: 'half',
      }
      return service.api('/api/connections/beach/start-links', init)
    }
    expect(await problem(await send(4097))).toEqual({ status: 413, code: 'content_too_large' })
    expect((await send(4096)).status).toBe(201)
  })

  it.each(bodies)('refuses to make a link of a body %s', async (_, init, code) => {
    const answer = await service.api('/api/connections/beach/start-links', init)
    expect(await problem(answer)).toEqual({ status: 400, code })
  })

  it('makes links for callers who may, and for well-formed keys', async () => {
    expect(await problem(await service.fetch('/api/connections/beach/start-links', post()))).toEqual({
      ...{ status: 401, code: 'invalid_api_key' },
    })
    expect(await problem(await service.api('/api/connections/-beach/start-links', post()))).toEqual({
      ...{ status: 400, code: 'invalid_company_key' },
    })
    const answer = await service.api('/api/connections/beach/start-links')
    expect([answer.status, answer.headers.get('Allow')]).toEqual([405, 'POST'])
  })

  it('lets in by a link that the command made, offline', async () => {
    const child = spawn(
      process.execPath,
      ['dev/start-link.ts', '--company-key', 'by-command', '--company-name', 'By Command', '--expires-in', '3600'],
      {
        env: {
          PATH: process.env['PATH'] ?? '',
          START_LINK_KEYS: asVariable(first),
          QUICKBOOKS_REDIRECT_URI: 'https://broker.example/oauth/callback',
        },
      },
    )
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await new Promise((resolve) => child.once('close', resolve))
    const [url = '', expiry = ''] = output.split('\n')
    expect(url).toMatch(/^https:\/\/broker\.example\/oauth\/start\/by-command\?/)
    expect(expiry).toMatch(/^Expires \d{4}-/)
    expect((await service.fetch(toPath(url))).status).toBe(302)
  })
})

describe('a service with open links', () => {
  let service: Service
  let signing: Service
  beforeAll(async () => {
    service = await startService()
    signing = await startService({ vars: { START_LINK_KEYS: asVariable(first) } })
  })
  afterAll(() => Promise.all([service.close(), signing.close()]))

  it('without keys makes a plain link, and says that it does not expire', async () => {
    const body = JSON.stringify({ company_name: 'Beach Blend', expires_in: 60 })
    const answer = await service.api('/api/connections/beach/start-links', post(body))
    expect(answer.status).toBe(201)
    expect(await answer.json()).toEqual({
      url: 'http://localhost:8787/oauth/start/beach?company_name=Beach+Blend',
      expires_at: null,
    })
    expect((await service.fetch('/oauth/start/beach?exp=1&kid=a&sig=b')).status).toBe(302)
  })

  it('with keys makes links that expire, and lets in without one', async () => {
    const { url, expires_at } = await (await signing.api('/api/connections/beach/start-links', post())).json()
    expect(expires_at).toBeGreaterThan(now())
    expect((await signing.fetch(toPath(url))).status).toBe(302)
    const altered = toPath(url).replace(/exp=\d+/, `exp=${expires_at + 1}`)
    expect(await problem(await signing.fetch(altered))).toEqual(REFUSED)
    expect((await signing.fetch('/oauth/start/beach')).status).toBe(302)
  })
})
