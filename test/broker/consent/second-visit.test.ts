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
const visit = async (path: string) => {
  const answer = await service.fetch(path)
  await expect.poll(() => service.dynamo.item(toPk(path)), { timeout: 20_000 }).toHaveProperty('outcome')
  return answer
}
const connect = async (key: string) => {
  const path = await service.consented(key, { companyName: 'Beach <Blend>', realmId: '77' })
  expect((await visit(path)).status).toBe(200)
  return path
}
/** Changes attributes of a stored state. `undefined` removes one. */
const changeState = async (path: string, change: Record<string, { N: string } | undefined>) => {
  const entries = Object.entries({ ...(await service.dynamo.item(toPk(path))), ...change })
  await service.dynamo.put(
    Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
  )
}

describe('a repeated callback', () => {
  it('responds with 400, says that the link connected the company, and exchanges no code', async () => {
    const path = await connect(freshKey())
    expect(await problem(path)).toEqual({
      ...{ status: 400, code: 'invalid_state' },
      detail: expect.stringContaining('Beach <Blend> was connected by this link.'),
    })
    const shown = await page(path)
    expect(shown).toContain('Beach &lt;Blend&gt;</bdi> was connected by this link')
    expect(shown).not.toContain('Try again')
    expect((await service.intuit.state()).counts.exchange).toBe(1)
  })

  it('does not say that the company is connected if it was disconnected since', async () => {
    const key = freshKey()
    const path = await connect(key)
    await service.api(`/api/connections/${key}`, { method: 'DELETE' })
    const { detail } = await problem(path)
    expect(detail).toContain('was connected by this link')
    expect(detail).not.toContain('is connected')
  })

  it.each<[string, string, (path: string) => Promise<string>, string]>([
    [
      'the person declined',
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
      'Intuit was unavailable',
      'intuit_unavailable',
      async (path) => {
        service.tokenEndpoint.fault({ kind: 'answer', status: 503, body: '', times: 1 })
        return path
      },
      'did not answer as it should',
    ],
  ])('says why the link connected nothing: %s', async (_, code, prepare, reason) => {
    const path = await prepare(await service.consented(freshKey(), { realmId: '78' }))
    expect((await visit(path)).status).toBeGreaterThanOrEqual(400)
    const again = await problem(path)
    expect(again).toMatchObject({ status: 400, code: 'invalid_state' })
    for (const part of ['nothing was connected', code, reason]) expect(again.detail).toContain(part)
    expect(await page(path)).toContain('Try again')
  })

  it('says that another company was chosen at Intuit', async () => {
    const key = freshKey()
    await connect(key)
    const path = await service.consented(key, { realmId: '79' })
    expect((await visit(path)).status).toBe(409)
    expect((await problem(path)).detail).toContain('realm_mismatch')
  })

  it('finds the connection of a visit that ended before it recorded its outcome', async () => {
    const path = await connect(freshKey())
    await changeState(path, { outcome: undefined })
    expect((await problem(path)).detail).toContain('was connected by this link')
  })

  it('says whether the first visit is in progress or did not finish', async () => {
    const path = await service.consented(freshKey())
    service.tokenEndpoint.fault({ kind: 'answer', status: 503, body: '', times: 1 })
    await visit(path)
    await changeState(path, { outcome: undefined, claimed_at: { N: '1000' } })
    expect((await problem(path)).detail).toContain('did not finish')
    await changeState(path, { claimed_at: { N: String(Date.now()) } })
    expect((await problem(path)).detail).toContain('still under way')
  })

  it('does not show the company name to a request with another company key', async () => {
    const key = freshKey()
    const path = await connect(key)
    const foreign = path.replace(encodeURIComponent(`${key}:`), encodeURIComponent('other:'))
    expect(foreign).not.toBe(path)
    expect((await problem(foreign)).detail).not.toContain('Beach')
  })
})

describe('the configuration of a flow', () => {
  it.each([
    { TOKEN_CACHE_SECONDS: '10s' },
    { TOKEN_ENCRYPTION_KEYS: 'no key' },
    { REFRESH_DEADLINE_MS: 'soon' },
    { INTUIT_TOKEN_ENDPOINT: 'http://intuit.example/' },
    { SUCCESS_REDIRECT_URL: 'books' },
    { ONE_KEY_PER_REALM: 'perhaps' },
    { QUICKBOOKS_CLIENT_SECRET: undefined },
  ])('is validated before a state, a code or a token is used: %j', async (vars) => {
    const other = await startService({ vars })
    const [name = ''] = Object.keys(vars)
    // A state that was stored while the configuration was valid.
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
    const readProblem = async (answer: Response) => ({
      status: answer.status,
      detail: String((await answer.json()).detail),
    })
    const refused = { status: 500, detail: expect.stringContaining(name) }
    expect(await readProblem(await other.fetch(`/oauth/callback?code=a&state=beach:${nonce}&realmId=1`))).toEqual(
      refused,
    )
    expect(await other.dynamo.item(`state#${nonce}`)).not.toHaveProperty('claimed_by')
    const isOfTokens = !['SUCCESS_REDIRECT_URL', 'ONE_KEY_PER_REALM'].includes(name)
    if (isOfTokens) {
      expect(await readProblem(await other.api('/api/token/beach/refresh', { method: 'POST' }))).toEqual(refused)
      const isOfExchange = name === 'INTUIT_TOKEN_ENDPOINT'
      if (!isOfExchange) {
        expect(await readProblem(await other.api('/api/connections/beach', { method: 'DELETE' }))).toEqual(refused)
      }
      expect((await other.dynamo.item('connection#beach'))?.['refresh_token']).toEqual({ S: 'refresh' })
    }
    expect((await other.intuit.state()).counts).toMatchObject({ exchange: 0, refresh: 0, revoke: 0 })
    await other.close()
  })
})
