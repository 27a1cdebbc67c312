import { afterAll, describe, expect, it } from 'vitest'
import { type Service, startService } from '../support/worker-harness.ts'

const running: Service[] = []
afterAll(() => Promise.all(running.map((service) => service.close())))

const serviceWith = async (vars: Record<string, string | undefined>) => {
  const service = await startService({ vars })
  running.push(service)
  return service
}

const faultsIn = async (answer: Response) => {
  const body = await answer.json()
  expect({ status: answer.status, code: body.code }).toEqual({ status: 500, code: 'configuration_error' })
  return String(body.detail)
}

describe('a deployment that is not configured', () => {
  it('answers health, names what each route lacks, and shows no value', async () => {
    const service = await serviceWith({
      ...{ API_KEY: undefined, AWS_REGION: undefined, DYNAMODB_TABLE: 'no table!', QUICKBOOKS_CLIENT_ID: undefined },
      QUICKBOOKS_REDIRECT_URI: 'not a marked uri',
    })
    expect((await service.fetch('/health')).status).toBe(200)
    expect(await faultsIn(await service.fetch('/api/token/beach'))).toContain('API_KEY is missing')
    expect(await faultsIn(await service.fetch('/oauth/start/beach'))).toContain('QUICKBOOKS_CLIENT_ID is missing')
    const sandbox = await faultsIn(await service.fetch('/oauth/start/beach-sandbox'))
    expect(sandbox).toContain('QUICKBOOKS_REDIRECT_URI')
    expect(sandbox).not.toContain('marked')
    const callback = await faultsIn(await service.fetch('/oauth/callback?code=a&state=beach:AAAAAAAAAAAAAAAAAAAAAA'))
    expect(callback).toContain('AWS_REGION')
    expect(callback).toContain('DYNAMODB_TABLE')
    expect(service.dynamo.requests).toEqual([])
  })

  it('serves one environment where only its pair is there', async () => {
    const service = await serviceWith({ QUICKBOOKS_CLIENT_SECRET: undefined })
    expect(await faultsIn(await service.fetch('/oauth/start/beach'))).toContain('QUICKBOOKS_CLIENT_SECRET is missing')
    expect(service.dynamo.requests).toEqual([])
    expect((await service.connect('beach-sandbox')).status).toBe(200)
    expect((await service.api('/api/token/beach-sandbox/refresh', { method: 'POST' })).status).toBe(200)
  })

  it('connects while only what reading needs is faulty', async () => {
    const service = await serviceWith({ TOKEN_REFRESH_MARGIN_SECONDS: 'soon' })
    await service.connect('beach')
    expect(await faultsIn(await service.api('/api/token/beach'))).toContain('TOKEN_REFRESH_MARGIN_SECONDS')
    expect((await service.api('/api/connections/beach')).status).toBe(200)
  })
})
