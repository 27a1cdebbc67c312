import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshKey } from '../../support/fixtures.ts'
import { type Service, startService } from '../../support/worker-harness.ts'

let service: Service
beforeAll(async () => {
  service = await startService({ vars: { REFRESH_WAIT_MS: '500' } })
})
afterAll(() => service.close())
beforeEach(async () => {
  service.dynamo.heal()
  service.tokenEndpoint.heal()
  await service.intuit.reset()
})

const HTML = { headers: { Accept: 'text/html' } }
const toPk = (path: string) => `state#${new URL(path, service.url).searchParams.get('state')?.split(':')[1]}`
const problem = async (path: string) => {
  const answer = await service.fetch(path)
  const { code, detail } = await answer.json()
  return { status: answer.status, code, detail: String(detail) }
}
const page = async (path: string) => (await service.fetch(path, HTML)).text()
/** Waits for the outcome, which is written after the response. */
const visited = async (path: string) => {
  const answer = await service.fetch(path)
  await expect.poll(() => service.dynamo.item(toPk(path)), { timeout: 20_000 }).toHaveProperty('outcome')
  return answer
}
const connectedBy = async (key: string) => {
  const path = await service.consented(key, { companyName: 'Beach <Blend>', realmId: '77' })
  expect((await visited(path)).status).toBe(200)
  return path
}
/** Sets attributes of a state behind the Worker's back; `undefined` takes one away. */
const alterState = async (path: string, change: Record<string, { N: string } | undefined>) => {
  const entries = Object.entries({ ...(await service.dynamo.item(toPk(path))), ...change })
  await service.dynamo.put(
    Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
  )
}

describe('a callback that arrives again', () => {
  it('tells that the company was connected by it, as 400, and spends nothing', async () => {
    const path = await connectedBy(freshKey())
    expect(await problem(path)).toEqual({
      ...{ status: 400, code: 'invalid_state' },
      detail: expect.stringContaining('Beach <Blend> was connected by this link.'),
    })
    const shown = await page(path)
    expect(shown).toContain('Beach &lt;Blend&gt;</bdi> was connected by this link')
    expect(shown).not.toContain('Try again')
    expect((await service.intuit.state()).counts.exchange).toBe(1)
  })

  it('says no more than that where the company was disconnected since', async () => {
    const key = freshKey()
    const path = await connectedBy(key)
    await service.api(`/api/connections/${key}`, { method: 'DELETE' })
    const { detail } = await problem(path)
    expect(detail).toContain('was connected by this link')
    expect(detail).not.toContain('is connected')
  })

  it.each<[string, string, (path: string) => Promise<string>, string]>([
    [
      'the owner refused',
      'authorization_denied',
      async (path) => path.replace(/code=[^&]+/, 'error=access_denied'),
      'denied',
    ],
    [
      'Intuit refused the code',
      'token_exchange_failed',
      async (path) => path.replace(/code=[^&]+/, 'code=no'),
      'refused to exchange the code',
    ],
    [
      'Intuit was out',
      'intuit_unavailable',
      async (path) => {
        service.tokenEndpoint.fault({ kind: 'answer', status: 503, body: '', times: 1 })
        return path
      },
      'did not answer as it should',
    ],
  ])('tells why nothing was connected: %s', async (_, code, prepare, reason) => {
    const path = await prepare(await service.consented(freshKey(), { realmId: '78' }))
    expect((await visited(path)).status).toBeGreaterThanOrEqual(400)
    const again = await problem(path)
    expect(again).toMatchObject({ status: 400, code: 'invalid_state' })
    for (const part of ['nothing was connected', code, reason]) expect(again.detail).toContain(part)
    expect(await page(path)).toContain('Try again')
  })

  it('tells of another company at Intuit', async () => {
    const key = freshKey()
    await connectedBy(key)
    const path = await service.consented(key, { realmId: '79' })
    expect((await visited(path)).status).toBe(409)
    expect((await problem(path)).detail).toContain('realm_mismatch')
  })

  it('knows a connection that was stored by a visit which ended before it could say so', async () => {
    const path = await connectedBy(freshKey())
    await alterState(path, { outcome: undefined })
    expect((await problem(path)).detail).toContain('was connected by this link')
  })

  it('says so where the first visit did not finish', async () => {
    const path = await service.consented(freshKey())
    service.tokenEndpoint.fault({ kind: 'answer', status: 503, body: '', times: 1 })
    await visited(path)
    await alterState(path, { outcome: undefined, claimed_at: { N: '1000' } })
    expect((await problem(path)).detail).toContain('did not finish')
    await alterState(path, { claimed_at: { N: String(Date.now()) } })
    expect((await problem(path)).detail).toContain('still under way')
  })

  it('is told nothing of a state that it does not know', async () => {
    const key = freshKey()
    const path = await connectedBy(key)
    const foreign = path.replace(encodeURIComponent(`${key}:`), encodeURIComponent('other:'))
    expect(foreign).not.toBe(path)
    expect((await problem(foreign)).detail).not.toContain('Beach')
  })
})

describe('all that a flow needs', () => {
  it.each([
    { TOKEN_CACHE_SECONDS: '10s' },
    { TOKEN_ENCRYPTION_KEYS: 'no key' },
    { REFRESH_DEADLINE_MS: 'soon' },
    { INTUIT_TOKEN_ENDPOINT: 'http://intuit.example/' },
    { SUCCESS_REDIRECT_URL: 'books' },
    { ONE_KEY_PER_REALM: 'perhaps' },
    { QUICKBOOKS_CLIENT_SECRET: undefined },
  ])('is there before a state, a code or a token is used: %j', async (vars) => {
    const other = await startService({ vars })
    const [name = ''] = Object.keys(vars)
    // A state that a deployment with the right settings stored.
    const nonce = 'p'.padEnd(33, 'n')
    const at = Math.floor(Date.now() / 1000)
    await other.dynamo.put({
      ...{ pk: { S: `state#${nonce}` }, company_key: { S: 'beach' }, uses_sandbox_credentials: { BOOL: false } },
      ...{ created_at: { N: String(at) }, expires_at: { N: String(at + 600) } },
    })
    const item = { S: 'connection#beach' }
    await other.dynamo.put({
      ...{ pk: item, access_token: { S: 'access' }, refresh_token: { S: 'refresh' }, realm_id: { S: '1' } },
    })
    const faulty = async (answer: Response) => ({ status: answer.status, detail: String((await answer.json()).detail) })
    const refused = { status: 500, detail: expect.stringContaining(name) }
    expect(await faulty(await other.fetch(`/oauth/callback?code=a&state=beach:${nonce}&realmId=1`))).toEqual(refused)
    expect(await other.dynamo.item(`state#${nonce}`)).not.toHaveProperty('claimed_by')
    const isOfTokens = !['SUCCESS_REDIRECT_URL', 'ONE_KEY_PER_REALM'].includes(name)
    if (isOfTokens) {
      expect(await faulty(await other.api('/api/token/beach/refresh', { method: 'POST' }))).toEqual(refused)
      const isOfExchange = name === 'INTUIT_TOKEN_ENDPOINT'
      if (!isOfExchange) {
        expect(await faulty(await other.api('/api/connections/beach', { method: 'DELETE' }))).toEqual(refused)
      }
      expect((await other.dynamo.item('connection#beach'))?.['refresh_token']).toEqual({ S: 'refresh' })
    }
    expect((await other.intuit.state()).counts).toMatchObject({ exchange: 0, refresh: 0, revoke: 0 })
    await other.close()
  })
})
