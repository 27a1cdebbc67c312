import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { createWebhook } from '../../src/alerts/webhook.ts'
import type { Alert } from '../../src/fleet/ports.ts'

const alert: Alert = { id: 'msg_1', type: 'connection.failing', at: 1_790_000_000, data: { company_key: 'beach' } }

/** What was sent, and how the sender took the answer. */
const sent = async (one: Alert, secret: string, answer: () => Promise<Response>, now = Date.now()) => {
  const requests: { url: string; headers: Headers; body: string; redirect: string | undefined }[] = []
  const network: typeof fetch = async (input, init) => {
    requests.push({
      ...{ url: String(input), headers: new Headers(init?.headers), body: String(init?.body) },
      redirect: init?.redirect,
    })
    return answer()
  }
  const send = createWebhook({ url: 'https://operator.example/alerts', secret }, { fetch: network, now: () => now })
  const taken = await send(one)
  const [request] = requests
  if (!request) throw new Error('nothing was sent')
  return { taken, request, count: requests.length }
}
const noContent = async () => new Response(null, { status: 204 })

describe('an alert', () => {
  it('has the signature of the Standard Webhooks library, for any content', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[\w-]{1,80}$/),
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 24, max: 64 }),
        async (id, name, bytes) => {
          const secret = randomBytes(bytes).toString('base64')
          const { request } = await sent({ ...alert, id, data: { company_name: name } }, secret, noContent)
          const verified = new Webhook(secret).verify(request.body, Object.fromEntries(request.headers))
          expect(verified).toMatchObject({ type: alert.type, data: { company_name: name } })
        },
      ),
      { numRuns: 50 },
    )
  })

  it('is signed as the scheme’s own example is', async () => {
    const library = new Webhook('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
    const at = 1_614_265_330
    const { request } = await sent(alert, 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', noContent, at * 1000)
    expect(request.headers.get('webhook-timestamp')).toBe(String(at))
    expect(request.headers.get('webhook-signature')).toBe(library.sign('msg_1', new Date(at * 1000), request.body))
  })

  it.each([
    [200, true],
    [204, true],
    [302, false],
    [400, false],
    [410, false],
    [500, false],
  ])('answered by %i counts as taken: %s', async (status, taken) => {
    const answer = async () => new Response(null, { status })
    const result = await sent(alert, 'c2VjcmV0', answer)
    expect([result.taken, result.count, result.request.redirect]).toEqual([taken, 1, 'manual'])
  })

  it('whose endpoint cannot be reached is not taken', async () => {
    expect((await sent(alert, 'c2VjcmV0', () => Promise.reject(new Error('refused')))).taken).toBe(false)
  })
})
