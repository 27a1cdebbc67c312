import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { closeServer, LOOPBACK, listen } from '../../dev/listen.ts'
import relay from '../../examples/slack-relay/worker.js'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const received: unknown[] = []
let status = 200
const slack = createServer((request, response) => {
  let text = ''
  request.on('data', (chunk: Buffer) => (text += chunk.toString()))
  request.on('end', () => {
    received.push(JSON.parse(text))
    response.writeHead(status).end()
  })
})
let url = ''
beforeAll(async () => {
  url = `http://${LOOPBACK}:${await listen(slack)}/`
})
afterAll(() => closeServer(slack))
beforeEach(() => {
  received.length = 0
  status = 200
})

const send = (data: Record<string, unknown>, secret = SECRET) => {
  const body = JSON.stringify({ type: 'connection.reconnect_required', timestamp: new Date().toISOString(), data })
  const at = new Date()
  const headers = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('msg_1', at, body),
  }
  const request = new Request('https://relay.example/', { method: 'POST', headers, body })
  return relay.fetch(request, { ALERT_WEBHOOK_SECRET: SECRET, SLACK_WEBHOOK_URL: url })
}

it('forwards an alert as one line', async () => {
  expect((await send({ company_name: 'Beach Blend', last_error: { code: 'reconnect_required' } })).status).toBe(204)
  expect((await send({ count: 20 })).status).toBe(204)
  expect(received).toEqual([
    { text: 'Beach Blend: reconnect required (reconnect_required)', mrkdwn: false },
    { text: '20 connections: reconnect required', mrkdwn: false },
  ])
})

it('lets a company name mention nobody, link nowhere and format nothing', async () => {
  await send({ company_name: '<!channel> *Pay* <https://evil.example|here> &lt;' })
  expect(received).toEqual([
    {
      text: '&lt;!channel&gt; *Pay* &lt;https://evil.example|here&gt; &amp;lt;: reconnect required',
      mrkdwn: false,
    },
  ])
})

it('forwards nothing without a valid signature, and lets the broker send again while Slack is down', async () => {
  expect((await send({ count: 1 }, `whsec_${Buffer.alloc(32, 8).toString('base64')}`)).status).toBe(401)
  expect(received).toEqual([])
  status = 503
  expect((await send({ count: 1 })).status).toBe(502)
})
