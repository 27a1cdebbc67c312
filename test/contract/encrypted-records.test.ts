import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalWorker, startWorker } from '../../dev/worker.ts'
import { findEncryptionKeyId } from '../../src/crypto/token-vault.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const TOKENS = ['access_token', 'refresh_token'] as const
const createKey = (kid: string) => `${kid}:${randomBytes(32).toString('base64')}`
const OLD = createKey('old')
const NEW = createKey('new')

let service: Service
beforeAll(async () => {
  service = await startService({ vars: { TOKEN_ENCRYPTION_KEYS: OLD } })
})
afterAll(() => service.close())

let keys = 0
const connected = async () => {
  const key = `company-${++keys}`
  expect((await service.connect(key)).status).toBe(200)
  return key
}
const stored = async (key: string) => (await service.dynamo.item(`connection#${key}`)) ?? {}
const readTokens = (record: Awaited<ReturnType<typeof stored>>) => TOKENS.map((name) => record[name]?.S ?? '')
const alter = async (key: string, change: Record<string, string>) => {
  const set = Object.fromEntries(Object.entries(change).map(([name, value]) => [name, { S: value }]))
  await service.dynamo.put({ ...(await stored(key)), ...set })
}

/** Reads what is stored, not what an isolate remembers. */
const read = (path: string, at: Pick<Service, 'api'> = service) =>
  at.api(path, { headers: { 'Cache-Control': 'no-cache' } })
const refresh = (key: string, at: Pick<Service, 'api'> = service) =>
  at.api(`/api/token/${key}/refresh`, { method: 'POST' })
const accessToken = async (answer: Response) => {
  expect(answer.status).toBe(200)
  return String((await answer.json()).access_token)
}

/** Another deployment over the same table and the same Intuit, as the next version of this one is. */
const redeployed = async (vars: Record<string, string>, onOutput = (_: string): void => undefined) => {
  const worker: LocalWorker = await startWorker({ vars: { ...service.vars, ...vars }, onOutput })
  const api = (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers)
    headers.set('X-API-Key', service.apiKey)
    return fetch(new URL(path, worker.url), { redirect: 'manual', ...init, headers })
  }
  return { api, close: worker.close }
}

describe('tokens at rest', () => {
  it('are sealed when a company connects and when its token is refreshed', async () => {
    const key = await connected()
    const answered = await accessToken(await read(`/api/token/${key}`))
    const first = readTokens(await stored(key))
    for (const value of first) expect(findEncryptionKeyId(value)).toBe('old')
    expect(JSON.stringify(await stored(key))).not.toContain(answered)
    expect(await accessToken(await refresh(key))).not.toBe(answered)
    const second = readTokens(await stored(key))
    for (const value of second) expect(findEncryptionKeyId(value)).toBe('old')
    expect(second).not.toEqual(first)
  })

  it('change their key without downtime: the first seals, all open', async () => {
    const key = await connected()
    const before = await accessToken(await read(`/api/token/${key}`))
    const next = await redeployed({ TOKEN_ENCRYPTION_KEYS: `${NEW},${OLD}` })
    expect(await accessToken(await read(`/api/token/${key}`, next))).toBe(before)
    await accessToken(await refresh(key, next))
    for (const value of readTokens(await stored(key))) expect(findEncryptionKeyId(value)).toBe('new')
    await next.close()
  })

  it('written by hand in the plain are read, and sealed at the next write', async () => {
    const key = await connected()
    const plain = await redeployed({ TOKEN_ENCRYPTION_KEYS: '' })
    await service.dynamo.remove(`connection#${key}`)
    const path = await service.consented(key)
    expect((await plain.api(path)).status).toBe(200)
    const [access = ''] = readTokens(await stored(key))
    expect(access).toMatch(/^eyJ/)
    expect(await accessToken(await read(`/api/token/${key}`))).toBe(access)
    await accessToken(await refresh(key))
    for (const value of readTokens(await stored(key))) expect(findEncryptionKeyId(value)).toBe('old')
    await plain.close()
  })

  it('are said once to be unsealed where no key is configured', async () => {
    let output = ''
    const plain = await redeployed({ TOKEN_ENCRYPTION_KEYS: '' }, (text) => {
      output += text
    })
    for (let time = 0; time < 2; time++)
      expect((await plain.api(await service.consented(await connected()))).status).toBe(200)
    await expect.poll(() => output).toContain('tokens_not_encrypted')
    await expect.poll(() => output.split('tokens_not_encrypted')).toHaveLength(2)
    expect(service.logs()).not.toContain('tokens_not_encrypted')
    await plain.close()
  })
})

describe('a token that does not open', () => {
  const problem = async (answer: Response) => {
    const { code, detail } = await answer.json()
    expect({ status: answer.status, code }).toEqual({ status: 500, code: 'sealed_token_unreadable' })
    return String(detail)
  }
  const refreshes = async () => (await service.intuit.state()).counts.refresh

  const expectUntouched = async (key: string, at: Pick<Service, 'api'> = service) => {
    const before = await stored(key)
    const used = await refreshes()
    const details = [await problem(await read(`/api/token/${key}`, at)), await problem(await refresh(key, at))]
    const after = await stored(key)
    for (const name of [...TOKENS, 'refresh_token_hash', 'generation'] as const)
      expect(after[name]).toEqual(before[name])
    expect(await refreshes()).toBe(used)
    const metadata = await at.api(`/api/connections/${key}`)
    expect(await metadata.json()).toMatchObject({ company_key: key, connected: true })
    return details.join(' ')
  }

  it.each([
    ['was altered', (value: string) => value.slice(0, -4) + (value.endsWith('AAAw') ? 'AAAA' : 'AAAw')],
    ['was cut short', (value: string) => value.slice(0, 200)],
    ['is marked and no more', () => 'sealed:v1:'],
  ])('because it %s is an error that spends and overwrites nothing', async (_, damage) => {
    const key = await connected()
    const [access = '', refreshToken = ''] = readTokens(await stored(key))
    await alter(key, { access_token: damage(access), refresh_token: damage(refreshToken) })
    expect(await expectUntouched(key)).toContain('altered')
  })

  it('because it was copied from another record is an error, and stays one after expiry', async () => {
    const [mine, theirs] = [await connected(), await connected()]
    const [access = '', refreshToken = ''] = readTokens(await stored(theirs))
    await alter(mine, { access_token: access, refresh_token: refreshToken })
    await expectUntouched(mine)
    await service.dynamo.put({ ...(await stored(mine)), access_token_expires_at: { N: '1' } })
    await expectUntouched(mine)
  })

  it('because its key is gone says which one has to come back', async () => {
    const key = await connected()
    for (const TOKEN_ENCRYPTION_KEYS of [NEW, '']) {
      const without = await redeployed({ TOKEN_ENCRYPTION_KEYS })
      expect(await expectUntouched(key, without)).toContain('the key old that encrypted it')
      await without.close()
    }
    expect((await read(`/api/token/${key}`)).status).toBe(200)
  })

  it('does not prevent the company from connecting again', async () => {
    const key = await connected()
    await alter(key, { access_token: 'sealed:v1:x', refresh_token: 'sealed:v1:x' })
    const { realm_id } = await (await service.api(`/api/connections/${key}`)).json()
    expect((await service.connect(key, { realmId: realm_id })).status).toBe(200)
    expect((await read(`/api/token/${key}`)).status).toBe(200)
  })

  it('differs from malformed keys', async () => {
    const key = await connected()
    const malformed = await redeployed({ TOKEN_ENCRYPTION_KEYS: 'marked-nonsense' })
    const answer = await read(`/api/token/${key}`, malformed)
    const { code, detail } = await answer.json()
    expect({ status: answer.status, code }).toEqual({ status: 500, code: 'configuration_error' })
    expect(detail).toContain('TOKEN_ENCRYPTION_KEYS')
    expect(detail).not.toContain('marked')
    await malformed.close()
  })
})
