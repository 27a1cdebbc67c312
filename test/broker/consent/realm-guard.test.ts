import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/config/config.ts'
import { freshKey, freshRealm } from '../../support/fixtures.ts'
import { type Service, startService } from '../../support/worker-harness.ts'

const problem = async (answer: Response) => ({ status: answer.status, code: (await answer.json()).code })
const MISMATCH = { status: 409, code: 'realm_mismatch' }
const IN_USE = { status: 409, code: 'realm_in_use' }

let service: Service
beforeAll(async () => {
  service = await startService()
})
afterAll(() => service.close())
beforeEach(async () => {
  service.dynamo.heal()
  await service.intuit.reset()
})

const stored = (key: string, at = service) => at.dynamo.item(`connection#${key}`)
const findRecord = (realmId: string, at = service) => at.dynamo.item(`realm#production#${realmId}`)

/** Removes tokens and hash from a record, as a disconnect does. */
const erase = async (key: string, at = service) => {
  const { access_token: _, refresh_token: __, refresh_token_hash: ___, ...rest } = (await stored(key, at)) ?? {}
  await at.dynamo.put(rest)
}

describe('a connected key', () => {
  /** Expects that a callback is refused, no code is exchanged, nothing is revoked and the record does not change. */
  const expectRejected = async (key: string, path: string) => {
    const before = await stored(key)
    const exchanges = (await service.intuit.state()).counts.exchange
    expect(await problem(await service.fetch(path))).toEqual(MISMATCH)
    expect(await stored(key)).toEqual(before)
    expect((await service.intuit.state()).counts).toMatchObject({ exchange: exchanges, revoke: 0 })
    expect((await service.api(`/api/token/${key}/refresh`, { method: 'POST' })).status).toBe(200)
  }

  it('refuses another company', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: freshRealm() })
    await expectRejected(key, await service.consented(key, { realmId: freshRealm() }))
  })

  it('refuses a callback without a realm id', async () => {
    const key = freshKey()
    const realmId = freshRealm()
    await service.connect(key, { realmId })
    const path = await service.consented(key, { realmId })
    await expectRejected(key, path.replace(/&realmId=\d+/, ''))
  })

  it.each([
    ['production', 'sandbox', 'First', 'First Sandbox'],
    ['sandbox', 'production', 'First Sandbox', 'First'],
  ])('keeps its environment: %s does not become %s', async (_from, _to, first, second) => {
    const key = freshKey()
    const realmId = freshRealm()
    await service.connect(key, { companyName: first, realmId })
    await expectRejected(key, await service.consented(key, { companyName: second, realmId }))
  })

  it('accepts one of two concurrent callbacks for different companies', async () => {
    const key = freshKey()
    const paths = [
      await service.consented(key, { realmId: freshRealm() }),
      await service.consented(key, { realmId: freshRealm() }),
    ]
    const answers = await Promise.all(paths.map((path) => service.fetch(path)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
  })

  it('accepts one of two concurrent callbacks for different environments', async () => {
    const key = freshKey()
    const realmId = freshRealm()
    const paths = [
      await service.consented(key, { companyName: 'First', realmId }),
      await service.consented(key, { companyName: 'First Sandbox', realmId }),
    ]
    const answers = await Promise.all(paths.map((path) => service.fetch(path)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
  })

  describe('whose earlier consent is stored after a later one', () => {
    /** The response to the earlier consent. Its write waits for the later consent and for `between`. */
    const storeLate = async (
      key: string,
      realmId: string,
      later: Parameters<Service['connect']>[1],
      between = async () => {},
    ) => {
      const path = await service.consented(key, { companyName: 'First', realmId })
      const laterStored = Promise.withResolvers<void>()
      const held = service.dynamo.fault({
        ...{ kind: 'hold', operation: 'UpdateItem', until: laterStored.promise, times: 1 },
        when: ({ body }) => JSON.stringify(body).includes(':connected_by'),
      })
      const earlier = service.fetch(path)
      await held.strikes
      expect((await service.connect(key, later)).status).toBe(200)
      await between()
      const left = await stored(key)
      laterStored.resolve()
      const answer = await earlier
      expect(await stored(key)).toEqual(left)
      return answer
    }

    it('refuses the earlier one if the later one is of another company', async () => {
      const answer = await storeLate(freshKey(), freshRealm(), { companyName: 'First', realmId: freshRealm() })
      expect(await problem(answer)).toEqual(MISMATCH)
    })

    it('refuses the earlier one if the later one is of another environment', async () => {
      const realmId = freshRealm()
      const answer = await storeLate(freshKey(), realmId, { companyName: 'First Sandbox', realmId })
      expect(await problem(answer)).toEqual(MISMATCH)
    })

    it('is connected by the later one if both are of the same company', async () => {
      const [key, realmId] = [freshKey(), freshRealm()]
      const answer = await storeLate(key, realmId, { companyName: 'First', realmId })
      expect(await answer.json()).toMatchObject({ company_key: key, realm_id: realmId })
    })

    it('responds with connection_not_found if it was disconnected since', async () => {
      const [key, realmId] = [freshKey(), freshRealm()]
      const disconnect = async () => {
        expect((await service.api(`/api/connections/${key}`, { method: 'DELETE' })).status).toBe(200)
      }
      const answer = await storeLate(key, realmId, { companyName: 'First', realmId }, disconnect)
      expect(await problem(answer)).toEqual({ status: 404, code: 'connection_not_found' })
    })
  })

  it('accepts another company once its tokens are erased', async () => {
    const key = freshKey()
    await service.connect(key, { realmId: freshRealm() })
    await erase(key)
    const realmId = freshRealm()
    expect((await service.connect(key, { companyName: 'Now Sandbox', realmId })).status).toBe(200)
    expect(await stored(key)).toMatchObject({ realm_id: { S: realmId }, uses_sandbox_credentials: { BOOL: true } })
  })
})

describe('a company under two keys', () => {
  it('is recorded with the key that connected it', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    expect(await (await service.connect(key, { realmId })).json()).toMatchObject({ realm_in_use: false })
    expect(await findRecord(realmId)).toMatchObject({ company_key: { S: key }, realm_id: { S: realmId } })
  })

  it('is reported in the response without the other key, and in the log with it', async () => {
    const [first, second, realmId] = [freshKey(), freshKey(), freshRealm()]
    await service.connect(first, { realmId })
    const path = await service.consented(second, { realmId })
    service.dynamo.requests.length = 0
    const answer = await service.fetch(path)
    expect(answer.status).toBe(200)
    const text = await answer.text()
    expect(JSON.parse(text)).toMatchObject({ company_key: second, realm_in_use: true })
    expect(text).not.toContain(`"${first}"`)
    // Beside the outcome, which is recorded after the response.
    const isOutcome = ({ body }: { body: unknown }) => JSON.stringify(body).includes(':outcome')
    expect(service.dynamo.requests.filter((request) => !isOutcome(request)).length).toBeLessThanOrEqual(5)
    await expect
      .poll(() => service.logs())
      .toContain(JSON.stringify({ event: 'realm_shared', company_key: second, other_company_key: first }))
    expect(await findRecord(realmId)).toMatchObject({ company_key: { S: first } })
  })

  it('is reported on the page', async () => {
    const [first, second, realmId] = [freshKey(), freshKey(), freshRealm()]
    const page = async (key: string) => {
      const path = await service.consented(key, { realmId })
      const answer = await service.fetch(path, { headers: { Accept: 'text/html' } })
      const [cookie = ''] = answer.headers.getSetCookie()
      const after = await service.fetch('/oauth/connected', { headers: { Cookie: cookie.split(';')[0] ?? '' } })
      return [await answer.text(), await after.text()]
    }
    for (const text of await page(first)) expect(text).not.toContain('also connected by another link')
    for (const text of await page(second)) expect(text).toContain('also connected by another link')
  })

  it('is not reported if the environments differ, or if the same key connects again', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    await service.connect(key, { realmId })
    expect(await (await service.connect(key, { realmId })).json()).toMatchObject({ realm_in_use: false })
    const sandbox = await service.connect(`sandbox-${key}`, { realmId })
    expect(await sandbox.json()).toMatchObject({ realm_in_use: false })
    expect(await service.dynamo.item(`realm#sandbox#${realmId}`)).toMatchObject({
      company_key: { S: `sandbox-${key}` },
    })
  })

  it('is connected even if the realm cannot be recorded', async () => {
    const [key, realmId] = [freshKey(), freshRealm()]
    const path = await service.consented(key, { realmId })
    service.dynamo.fault({ kind: 'error', operation: 'PutItem', status: 400, type: 'ValidationException' })
    expect((await service.fetch(path)).status).toBe(200)
    await expect.poll(() => service.logs()).toContain('realm_not_recorded')
  })
})

describe('ONE_KEY_PER_REALM=true', () => {
  let strict: Service
  beforeAll(async () => {
    strict = await startService({ vars: { ONE_KEY_PER_REALM: 'true' } })
  })
  afterAll(() => strict.close())

  it('is off by default, and true or false', () => {
    expect(readConfig({}).realms()).toEqual({ oneKeyPerRealm: false })
    expect(() => readConfig({ ONE_KEY_PER_REALM: '1' }).realms()).toThrow('ONE_KEY_PER_REALM must be true or false')
  })

  it('refuses the second key before the code is exchanged, and changes neither record', async () => {
    const [first, second, realmId] = [freshKey(), freshKey(), freshRealm()]
    await strict.connect(first, { realmId })
    const path = await strict.consented(second, { realmId })
    const before = [await stored(first, strict), await stored(second, strict)]
    const answer = await strict.fetch(path)
    expect(await answer.clone().text()).not.toContain(first)
    expect(await problem(answer)).toEqual(IN_USE)
    expect([await stored(first, strict), await stored(second, strict)]).toEqual(before)
    expect((await strict.intuit.state()).counts).toMatchObject({ exchange: 1, revoke: 0 })
    await expect.poll(() => strict.logs()).toContain('"event":"realm_refused"')
  })

  it.each([
    ['was disconnected', (key: string) => erase(key, strict)],
    ['was removed', (key: string) => strict.dynamo.remove(`connection#${key}`)],
    [
      'moved to another company',
      async (key: string) =>
        strict.dynamo.put({ ...(await stored(key, strict)), pk: { S: `connection#${key}` }, realm_id: { S: '1' } }),
    ],
  ])('ignores the recorded key if it %s', async (_, leave) => {
    const [first, second, realmId] = [freshKey(), freshKey(), freshRealm()]
    await strict.connect(first, { realmId })
    await leave(first)
    expect((await strict.connect(second, { realmId })).status).toBe(200)
    expect(await findRecord(realmId, strict)).toMatchObject({ company_key: { S: second } })
  })
})
