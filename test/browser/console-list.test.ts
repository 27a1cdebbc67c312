import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, inChromium, launchChromium } from './chromium.ts'
import { createPerson } from './person.ts'
import { type Browsable, startBrowsable } from './service.ts'

let service: Browsable
let browser: Browser

describe.skipIf(!hasChromium)(inChromium('the console over a real list, in Chromium,'), () => {
  beforeAll(async () => {
    ;[service, browser] = await Promise.all([startBrowsable({ DYNAMODB_FLEET_INDEX: 'fleet' }), launchChromium()])
  })
  afterAll(async () => {
    await browser.close()
    await service.close()
  })

  it('goes from signing in to a disconnect that Intuit confirmed', async () => {
    const person = await createPerson(browser, service.hosts)
    const { page } = person
    await service.connect('beach-blend', { companyName: 'Beach Blend', realmId: '111' })
    await service.connect('harbour', { companyName: 'Harbour Books', realmId: '222' })
    await service.fetch('/oauth/start/pier-9?company_name=Pier%209')
    await service.intuit.kill('222')
    await service.api('/api/token/harbour/refresh', { method: 'POST' })

    await page.goto(`${service.origin}/console`)
    await page.getByLabel('API key').fill(service.apiKey)
    await page.getByRole('button', { name: 'Sign in' }).click()
    const card = (name: string) =>
      page.getByRole('listitem').filter({ has: page.getByRole('heading', { name, exact: true }) })
    await card('Beach Blend').getByText('Connected', { exact: true }).waitFor()
    await card('Harbour Books').getByText('Reconnect required', { exact: true }).waitFor()
    await card('Pier 9').getByText('Unfinished', { exact: true }).waitFor()

    await card('Beach Blend').getByRole('button', { name: 'Refresh' }).click()
    await card('Beach Blend').getByText('Refreshed just now.').waitFor()
    await card('Beach Blend').getByRole('button', { name: 'Disconnect' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect', exact: true }).click()
    await page.getByText('Disconnected.').first().waitFor()
    expect((await service.intuit.state()).counts.revoke).toBe(1)
    expect(await (await service.api('/api/connections/beach-blend')).json()).toMatchObject({ connected: false })
    await page.reload()
    await card('Beach Blend').getByText('Disconnected', { exact: true }).waitFor()
    await person.leave()
  })
})
