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

  it('hold nothing inline', async () => {
    const page = await (await fetch(`${service.origin}/console`)).text()
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
