import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Service, startService } from '../support/worker-harness.ts'

let service: Service
beforeAll(async () => {
  service = await startService()
})
afterAll(() => service.close())
beforeEach(() => service.intuit.reset())

let names = 0
const freshKey = (prefix = 'company') => `${prefix}-${++names}`
const metadata = async (key: string) => (await service.api(`/api/connections/${key}`)).json()
const startWithName = (key: string, name: string) =>
  service.fetch(`/oauth/start/${key}?company_name=${encodeURIComponent(name)}`)
const clientIdAfterStart = async (key: string) => {
  const started = await service.fetch(`/oauth/start/${key}`)
  return new URL(started.headers.get('Location') ?? '').searchParams.get('client_id')
}

describe('an anonymous start with a name', () => {
  it('does not send the later start of the owner to the sandbox app', async () => {
    const key = freshKey()
    await startWithName(key, 'A Sandbox Company')
    expect(await clientIdAfterStart(key)).toBe(service.pairs.production.clientId)
    expect((await service.connect(key)).status).toBe(200)
    expect(await metadata(key)).toMatchObject({ environment: 'production' })
  })

  it('does not send the later start of a sandbox key to the production app', async () => {
    const key = freshKey('sandbox')
    await startWithName(key, 'A Company')
    expect(await clientIdAfterStart(key)).toBe(service.pairs.sandbox.clientId)
  })

  it('does not name the company that the owner connects later', async () => {
    const key = freshKey()
    await startWithName(key, 'Pay the Attacker')
    await service.connect(key)
    expect((await metadata(key)).company_name).toBe(key)
  })

  it('does not put its name on the page of a consent that the owner gives and that fails', async () => {
    const key = freshKey()
    await startWithName(key, 'Pay the Attacker')
    const path = (await service.consented(key)).replace(/code=[^&]*/, 'error=access_denied')
    const page = await (await service.fetch(path, { headers: { Accept: 'text/html' } })).text()
    expect(page).not.toContain('Pay the Attacker')
  })

  it('does not rename a connected company, nor one that was disconnected', async () => {
    const key = freshKey()
    await service.connect(key, { companyName: 'Beach Blend' })
    await startWithName(key, 'Pay the Attacker')
    await service.connect(key)
    expect((await metadata(key)).company_name).toBe('Beach Blend')
    await service.api(`/api/connections/${key}`, { method: 'DELETE' })
    await startWithName(key, 'A Sandbox Company')
    expect(await clientIdAfterStart(key)).toBe(service.pairs.production.clientId)
    await service.connect(key)
    expect((await metadata(key)).company_name).toBe('Beach Blend')
  })
})
