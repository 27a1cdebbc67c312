import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { copyFor } from '../../src/pages/problem-copy.ts'
import { PROBLEM_STATUS } from '../../src/problem.ts'
import { freshKey } from '../support/fixtures.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const HTML = { headers: { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' } }
const MAX_PAGE_BYTES = 15_000
const STYLES = ['/theme.css', '/pages.css']

let service: Service
beforeAll(async () => {
  service = await startService()
})
afterAll(() => service.close())
afterEach(async () => {
  service.dynamo.heal()
  await service.intuit.reset()
})

const visit = (path: string, cookie?: string) =>
  service.fetch(path, { headers: { ...HTML.headers, ...(cookie === undefined ? {} : { Cookie: cookie }) } })
const readSetCookie = (answer: Response) => answer.headers.get('Set-Cookie') ?? ''
const toCookiePair = (setCookie: string) => setCookie.split(';')[0] ?? ''

/** What every page owes whoever sees it. Returns its text. */
const pageText = async (answer: Response) => {
  expect(answer.headers.get('Content-Type')).toBe('text/html; charset=UTF-8')
  expect(answer.headers.get('Cache-Control')).toBe('no-store')
  expect(answer.headers.get('Referrer-Policy')).toBe('no-referrer')
  expect(answer.headers.get('X-Request-Id')).toBeTruthy()
  const text = await answer.text()
  expect(answer.headers.get('Content-Security-Policy')).toBe(
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  expect(Buffer.byteLength(text)).toBeLessThan(MAX_PAGE_BYTES)
  expect([...text.matchAll(/<link rel="stylesheet" href="([^"]+)">/g)].map(([, href]) => href)).toEqual(STYLES)
  expect(text).not.toMatch(/<script|<form|<style|\son\w+=|style="|https?:\/\//)
  return text
}

describe('the page of success', () => {
  it('comes with the callback and moves on to an address without code and state', async () => {
    const answer = await visit(await service.consented(freshKey(), { companyName: 'Beach Blend' }))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Refresh')).toBe('0; url=/oauth/connected')
    expect(await pageText(answer)).toContain('<bdi>Beach Blend</bdi> is connected')
  })

  it('leaves what it says, and nothing else, in a cookie that no script and no other host reads', async () => {
    const [key, realmId] = [freshKey(), '9130347596842384926']
    const answer = await visit(await service.consented(key, { companyName: 'Müller & Söhne; <b>', realmId }))
    const cookie = readSetCookie(answer)
    const said = JSON.stringify({ companyName: 'Müller & Söhne; <b>', realmId, sharesRealm: false })
    expect(cookie).toBe(
      `__Host-connected=${encodeURIComponent(said)}; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax`,
    )
    const shown = await pageText(await visit('/oauth/connected', toCookiePair(cookie)))
    expect(shown).toContain('<bdi>Müller &amp; Söhne; &lt;b&gt;</bdi> is connected')
  })

  it('bears the longest name in any script', async () => {
    const name = '🏖'.repeat(200)
    const cookie = readSetCookie(await visit(await service.consented(freshKey(), { companyName: name })))
    expect(cookie.length).toBeLessThan(4096)
    expect(await pageText(await visit('/oauth/connected', toCookiePair(cookie)))).toContain(name)
  })

  it('shows which company was chosen, and what to do if that is the wrong one', async () => {
    const realmId = '9130347596842384926'
    const answer = await visit(await service.consented(freshKey(), { companyName: 'Two Tabs', realmId }))
    for (const page of [
      await pageText(answer),
      await pageText(await visit('/oauth/connected', toCookiePair(readSetCookie(answer)))),
    ]) {
      expect(page).toContain('<dt>Connected under the name</dt><dd><bdi>Two Tabs</bdi></dd>')
      expect(page).toContain(`<dt>QuickBooks company ID</dt><dd>${realmId}</dd>`)
      expect(page).toContain('If you chose the wrong company, tell the person who sent you the link.')
    }
  })

  it('says of a company under two links no more than that', async () => {
    const realmId = '4620816365000000777'
    await service.connect(freshKey(), { realmId })
    const page = await pageText(await visit(await service.consented(freshKey(), { realmId })))
    expect(page).toContain('is also connected by another link')
    expect(page).not.toMatch(/both/i)
  })

  it('costs the table nothing', async () => {
    service.dynamo.requests.length = 0
    for (const path of ['/oauth/connected', '/oauth/failed', '/intuit/disconnected', '/intuit/reconnect'])
      await visit(path)
    expect(service.dynamo.requests).toEqual([])
  })
})

describe('SUCCESS_REDIRECT_URL', () => {
  const withUrl = async (url: string) => startService({ vars: { SUCCESS_REDIRECT_URL: url } })

  it('sends a person on, and changes nothing for programs', async () => {
    const other = await withUrl('https://books.example/connected?from=broker')
    const answer = await other.fetch(await other.consented('beach'), HTML)
    expect(answer.status).toBe(303)
    expect(answer.headers.get('Location')).toBe('https://books.example/connected?from=broker')
    expect(answer.headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(await answer.text()).toBe('')
    expect(readSetCookie(answer)).toBe('')
    const json = await other.connect('harbour')
    expect({ status: json.status, body: await json.json() }).toMatchObject({ status: 200, body: { connected: true } })
    await other.close()
  })

  it.each(['http://books.example/', 'books', 'javascript:alert(1)'])(
    'is refused as %s before anybody is sent to Intuit',
    async (url) => {
      const other = await withUrl(url)
      for (const path of ['/oauth/start/beach', '/oauth/callback?code=a&state=beach:AAAAAAAAAAAAAAAAAAAAAA']) {
        const answer = await other.fetch(path, HTML)
        expect(answer.status).toBe(500)
        const page = await answer.text()
        expect(page).toContain('SUCCESS_REDIRECT_URL')
        expect(page).not.toContain(url)
      }
      expect(await other.dynamo.all()).toEqual([])
      expect((await other.intuit.state()).counts.exchange).toBe(0)
      await other.close()
    },
  )
})

describe('a failure of the callback', () => {
  const denied = async (key: string) => {
    const state = new URL(await service.consented(key), service.url).searchParams.get('state') ?? ''
    return `/oauth/callback?error=access_denied&state=${encodeURIComponent(state)}`
  }

  it('keeps its status, and moves on to an address without code and state', async () => {
    const key = freshKey()
    const answer = await visit(await denied(key))
    expect(answer.status).toBe(400)
    expect(answer.headers.get('Refresh')).toBe('0; url=/oauth/failed')
    const here = await pageText(answer)
    expect(here).toContain('Nothing was connected')
    expect(here).toContain(`<p><bdi>${key}</bdi> is not connected.</p>`)
    expect(here).toContain(`<a class="button" href="/oauth/start/${key}">Try again</a>`)
    expect(await pageText(await visit('/oauth/failed', toCookiePair(readSetCookie(answer))))).toBe(here)
  })

  it('never carries code or state into the page or the cookie', async () => {
    const path = await service.consented(freshKey())
    await service.intuit.fault({ endpoint: 'token', times: 2, fault: { kind: 'status', status: 503 } })
    const answer = await visit(path)
    expect(answer.status).toBe(502)
    const query = new URL(path, service.url).searchParams
    const nonce = query.get('state')?.split(':')[1] ?? ''
    const all = `${await pageText(answer)} ${[...answer.headers].flat().join(' ')}`
    expect(nonce).not.toBe('')
    expect(all).not.toContain(nonce)
    expect(all).not.toContain(query.get('code'))
    expect(all).toMatch(/1-[0-9a-f]{8}-/)
  })

  it.each([
    ['code=a', 400, 'This address is not complete', false],
    ['code=a&state=beach', 400, 'has been used or has expired', false],
    ['code=a&state=beach:AAAAAAAAAAAAAAAAAAAAAA', 400, 'has been used or has expired', true],
    ['code=a&state=%22%3E%3Cb:AAAAAAAAAAAAAAAAAAAAAA', 400, 'has been used or has expired', false],
  ])('says of %s what is wrong, and offers a link only where the key is known', async (query, status, title, again) => {
    const answer = await visit(`/oauth/callback?${query}`)
    expect(answer.status).toBe(status)
    const page = await pageText(answer)
    expect(page).toContain(title)
    expect(page.includes('href="/oauth/start/beach"')).toBe(again)
    expect(page.includes('Try again</a>')).toBe(again)
  })

  it('is problem+json, with no cookie and no Refresh, for everybody who does not prefer HTML', async () => {
    const answer = await service.fetch(await denied(freshKey()), { headers: { Accept: '*/*' } })
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json')
    expect(answer.headers.get('Refresh')).toBeNull()
    expect(readSetCookie(answer)).toBe('')
  })

  it.each([
    ['nothing', undefined],
    ['what is not JSON', '__Host-problem=%7Bx'],
    ['what is of another form', `__Host-problem=${encodeURIComponent('{"code":7}')}`],
    [
      'a link that leads away',
      `__Host-problem=${encodeURIComponent('{"code":"invalid_state","detail":"","requestId":"","start":{"path":"//evil.example","isNamed":false}}')}`,
    ],
  ])('is told in general terms to a browser that kept %s', async (_, cookie) => {
    const page = await pageText(await visit('/oauth/failed', cookie))
    expect(page).toContain('Nothing to show here')
    expect(page).not.toContain('evil')
  })
})

/** What a page that knows nothing must not claim, either way. */
const CLAIMS = /is connected(?! there)|was not connected|did not end|failed|has ended|went wrong|is disconnected/i

describe.each(['/oauth/connected', '/oauth/failed', '/intuit/disconnected', '/intuit/reconnect'])(
  '%s in a browser that kept nothing',
  (path) => {
    it('claims neither success nor failure', async () => {
      const answer = await visit(path)
      expect(answer.status).toBe(200)
      const page = (await pageText(answer)).replace(/whether a company is connected/g, '')
      expect(page).not.toMatch(CLAIMS)
      expect(page).toContain('class="mark info"')
    })
  },
)

describe('a failure of the start link', () => {
  it('is a page that says whom to ask, and shows nothing unescaped', async () => {
    const answer = await visit('/oauth/start/%3Cb%3E')
    expect(answer.status).toBe(400)
    expect(answer.headers.get('Refresh')).toBeNull()
    const page = await pageText(answer)
    expect(page).toContain('This link does not work')
    expect(page).not.toContain('<b>')
    expect(page).not.toContain('Try again')
  })

  it('offers the very same link again where waiting helps', async () => {
    service.dynamo.fault({ kind: 'error', status: 500, type: 'InternalServerError' })
    const answer = await visit('/oauth/start/beach?company_name=A%20%26%20B')
    expect(answer.status).toBe(503)
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect(await pageText(answer)).toContain('href="/oauth/start/beach?company_name=A%20%26%20B"')
  })

  it('stays problem+json under /api, whatever is preferred', async () => {
    const answer = await service.api('/api/token/nobody', HTML)
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json')
  })

  it.each(['/oauth', '/oauth/nothing'])('is a page at %s, where there is nothing', async (path) => {
    const answer = await visit(path)
    expect(answer.status).toBe(404)
    await pageText(answer)
  })
})

describe('the words of a problem', () => {
  const SITUATIONS = (['button', 'link', 'new link'] as const).flatMap((way) =>
    (['connected', 'reconnect_required', 'not_connected', 'unknown', undefined] as const).flatMap((standing) =>
      [undefined, 'access_denied', 'invalid_scope', 'server_error'].map((intuitError) => ({
        ...{ way, standing, intuitError },
      })),
    ),
  )

  it.each(Object.keys(PROBLEM_STATUS))('are whole sentences for %s, however things stand', (code) => {
    for (const situation of SITUATIONS) {
      const { title, happened, next } = copyFor(code, situation)
      expect(title).toMatch(/^[A-Z][^.]+$/)
      for (const text of [happened, next]) expect(text).toMatch(/^[A-Z].*[^.]\.$/)
    }
  })

  it.each(Object.keys(PROBLEM_STATUS))('leave it to the table whether the company is connected: %s', (code) => {
    for (const situation of SITUATIONS) {
      const { happened } = copyFor(code, situation)
      expect(happened).not.toMatch(/(?<!known yet whether )the company is (not )?connected(?! under another link)/i)
    }
  })

  it('speak of trying again only where there is a link to do it', () => {
    for (const code of Object.keys(PROBLEM_STATUS)) {
      for (const way of ['link', 'new link'] as const) {
        expect(copyFor(code, { way, standing: 'connected' }).next).not.toMatch(/try again/i)
      }
    }
  })

  it('take what nobody knows for our own fault', () => {
    for (const situation of SITUATIONS) {
      expect(copyFor('constructor', situation)).toEqual(copyFor('internal_error', situation))
    }
  })
})

describe.each(['/intuit/disconnected', '/intuit/reconnect'])('Intuit’s link %s', (path) => {
  it('gets the same response whatever it names', async () => {
    await service.connect('known', { realmId: '111' })
    const queries = ['?realmId=111', '?realmId=222', '', '?realmId=%3Cb%3E', `?realmId=${'1'.repeat(15_000)}`]
    const pages = await Promise.all(queries.map(async (query) => pageText(await visit(`${path}${query}`))))
    expect(new Set(pages).size).toBe(1)
    expect((await service.api('/api/token/known')).status).toBe(200)
  })

  it('answers HEAD, and no other method', async () => {
    expect((await service.fetch(path, { method: 'HEAD' })).status).toBe(200)
    const answer = await service.fetch(path, { method: 'POST' })
    expect({ status: answer.status, allow: answer.headers.get('Allow') }).toEqual({ status: 405, allow: 'GET, HEAD' })
  })
})

describe.each(['/console', '/docs', '/openapi.json', '/pages.css', '/theme.css'])('%s', (path) => {
  it('says what is missing where the static assets are', async () => {
    const answer = await service.fetch(path)
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ code: 'not_found', detail: expect.stringContaining('public/') })
  })
})
