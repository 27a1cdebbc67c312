import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { type Service, startService } from '../support/worker-harness.ts'

const KEYS = { TOKEN_ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}` }
const FOREIGN = 'attacker-token-of-another-company'

let service: Service
beforeAll(async () => {
  service = await startService({ vars: { ...KEYS, REQUIRE_SEALED: 'true', DYNAMODB_FLEET_INDEX: 'fleet' } })
})
afterAll(() => service.close())

let keys = 0
const connected = async () => {
  const key = `company-${++keys}`
  expect((await service.connect(key, { realmId: `55${keys}` })).status).toBe(200)
  return key
}
const stored = async (key: string) => (await service.dynamo.item(`connection#${key}`)) ?? {}
const change = async (key: string, values: Awaited<ReturnType<typeof stored>>) =>
  service.dynamo.put({ ...(await stored(key)), ...values })
const read = (key: string) => service.api(`/api/token/${key}`, { headers: { 'Cache-Control': 'no-cache' } })
const refresh = (key: string) => service.api(`/api/token/${key}/refresh`, { method: 'POST' })
const counts = async () => (await service.intuit.state()).counts

/** What a person who can write to the table plants: tokens and realm of a company of their own. */
const plant = (key: string, names: readonly string[]) =>
  change(key, {
    realm_id: { S: '999999' },
    ...Object.fromEntries(names.map((name) => [name, { S: FOREIGN }])),
  })

const expectRefused = async (answer: Response) => {
  const text = await answer.text()
  expect({ status: answer.status, ...JSON.parse(text) }).toMatchObject({
    ...{ status: 500, code: 'sealed_token_unreadable' },
    detail: expect.stringMatching(/not encrypted.*REQUIRE_SEALED.*npm run keys:reseal/),
  })
  expect(text).not.toContain(FOREIGN)
}

describe('REQUIRE_SEALED', () => {
  it('is off by default', () => {
    expect(readConfig({}).encryptedTokens()).toEqual({ isRequired: false })
  })

  it.each([
    [{ ...KEYS, REQUIRE_SEALED: 'yes' }, 'REQUIRE_SEALED must be true or false'],
    [{ REQUIRE_SEALED: 'true' }, 'REQUIRE_SEALED can be true only if TOKEN_ENCRYPTION_KEYS is set'],
  ])('is a fault of the configuration as %j', (variables, fault) => {
    expect(() => readConfig(variables).encryptedTokens()).toThrow(fault)
  })

  it('hands out and uses what a consent and a refresh stored', async () => {
    const key = await connected()
    expect((await read(key)).status).toBe(200)
    expect((await refresh(key)).status).toBe(200)
    expect((await read(key)).status).toBe(200)
  })

  it('hands out no token that was planted in the table in plain text', async () => {
    const key = await connected()
    await plant(key, ['access_token'])
    await expectRefused(await read(key))
    expect(await (await service.api(`/api/connections/${key}`)).json()).toMatchObject({ connected: true })
  })

  it('sends Intuit no refresh token that was planted in plain text, whoever asks: a caller or the cron', async () => {
    const key = await connected()
    await plant(key, ['access_token', 'refresh_token'])
    const before = (await counts()).refresh
    await expectRefused(await refresh(key))
    await change(key, { access_token_expires_at: { N: '1' } })
    await expectRefused(await read(key))
    await change(key, { last_refresh_at: { N: '1' } })
    await service.scheduled()
    expect((await counts()).refresh).toBe(before)
    expect((await stored(key))['refresh_token']).toEqual({ S: FOREIGN })
  })

  it('revokes no token that was planted in plain text, and erases it', async () => {
    const key = await connected()
    await plant(key, ['access_token', 'refresh_token'])
    const before = (await counts()).revoke
    expect((await service.api(`/api/connections/${key}`, { method: 'DELETE' })).status).toBe(200)
    expect((await counts()).revoke).toBe(before)
    expect(JSON.stringify(await stored(key))).not.toContain(FOREIGN)
  })

  it('does not keep the company from being connected again', async () => {
    const key = await connected()
    const realmId = (await stored(key))['realm_id']?.S ?? ''
    await change(key, { access_token: { S: FOREIGN }, refresh_token: { S: FOREIGN } })
    expect((await service.connect(key, { realmId })).status).toBe(200)
    expect((await read(key)).status).toBe(200)
  })
})
