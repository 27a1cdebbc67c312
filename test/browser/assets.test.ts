import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Browsable, startBrowsable } from './service.ts'

let service: Browsable
beforeAll(async () => {
  service = await startBrowsable()
})
afterAll(() => service.close())

describe('the static assets', () => {
  it.each(['/console', '/console/main.js', '/console/console.css'])('come with a strict policy: %s', async (path) => {
    const answer = await fetch(`${service.origin}${path}`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Content-Security-Policy')).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; /,
    )
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...{ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
      ...{ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' },
    })
    expect((await answer.text()).length).toBeLessThan(15_000)
  })

  it.each(['/docs', '/docs/docs.js', '/docs/docs.css', '/docs/vendor/swagger-ui-bundle.js'])(
    'let the viewer run no script and style but its own, and ask nobody else: %s',
    async (path) => {
      const answer = await fetch(`${service.origin}${path}`)
      expect(answer.status).toBe(200)
      expect(answer.headers.get('Content-Security-Policy')).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      )
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        ...{ 'cache-control': 'no-cache', 'referrer-policy': 'no-referrer' },
        ...{ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' },
      })
    },
  )

  it('have the style of the Worker’s pages, which are under 15 KB with it', async () => {
    const page = await (await fetch(`${service.origin}/intuit/reconnect`)).text()
    let bytes = page.length
    for (const path of ['/theme.css', '/pages.css']) {
      const answer = await fetch(`${service.origin}${path}`)
      expect(answer.headers.get('Content-Type')).toMatch(/^text\/css/)
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        ...{ 'cache-control': 'no-cache', 'content-security-policy': "default-src 'none'" },
        ...{ 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' },
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
      })
      const style = await answer.text()
      expect(style).not.toMatch(/@import|url\(/)
      bytes += style.length
    }
    expect(bytes).toBeLessThan(15_000)
  })

  it('have the API document, for whoever asks', async () => {
    const answer = await fetch(`${service.origin}/openapi.json`)
    expect(answer.headers.get('Strict-Transport-Security')).toContain('includeSubDomains')
    expect(answer.headers.get('Content-Type')).toMatch(/^application\/json/)
    expect(await answer.json()).toMatchObject({ openapi: '3.1.1' })
  })

  it.each(['/console', '/docs'])('hold nothing inline: %s', async (path) => {
    const answer = await fetch(`${service.origin}${path}`)
    expect(answer.headers.get('Strict-Transport-Security')).toContain('includeSubDomains')
    const page = await answer.text()
    expect(page).not.toMatch(/<style|<script(?![^>]* src=)|\son\w+=|\sstyle=|https?:\/\//)
  })

  it('leave every other path to the Worker', async () => {
    expect(await (await fetch(`${service.origin}/health`)).json()).toEqual({ status: 'ok' })
    for (const path of ['/console/nothing', '/_headers', '/']) {
      const answer = await fetch(`${service.origin}${path}`)
      expect(answer.status).toBe(404)
      expect(answer.headers.get('X-Request-Id')).toBeTruthy()
    }
  })
})
