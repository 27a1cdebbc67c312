import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { apiDocument } from '../contract/openapi/api-document.ts'
import { hasChromium, inChromium, launchChromium } from './chromium.ts'
import { createPerson, type Person } from './person.ts'
import { type Browsable, startBrowsable } from './service.ts'

const { operations } = apiDocument()

let service: Browsable
let browser: Browser
let person: Person
let page: Page

const row = (id: string) => page.locator(`.opblock[id$="-${id}"]`)
const lastStatus = (id: string) => row(id).locator('.live-responses-table .response-col_status').last()

const authorize = async (apiKey: string) => {
  await page.getByRole('button', { name: 'Authorize' }).first().click()
  const dialog = page.locator('.modal-ux')
  await dialog.getByLabel('auth-api-key-input').or(dialog.getByRole('textbox')).first().fill(apiKey)
  await dialog
    .getByRole('button', { name: /^Apply/ })
    .first()
    .click()
  await dialog.getByRole('button', { name: 'Close' }).first().click()
}

const tryOut = async (id: string, companyKey: string) => {
  await row(id).locator('.opblock-summary-control').click()
  await row(id).getByRole('button', { name: 'Try it out' }).click()
  await row(id).getByPlaceholder('company_key').fill(companyKey)
  await row(id).getByRole('button', { name: 'Execute' }).click()
}

describe.skipIf(!hasChromium)(inChromium('the API document, in Chromium,'), () => {
  beforeAll(async () => {
    ;[service, browser] = await Promise.all([startBrowsable(), launchChromium()])
    await service.connect('beach-blend', { companyName: 'Beach Blend' })
  })
  afterAll(async () => {
    await browser.close()
    await service.close()
  })
  beforeEach(async () => {
    person = await createPerson(browser, service.hosts)
    page = person.page
    await page.goto(`${service.origin}/docs`)
    await page.getByRole('heading', { name: 'QuickBooks token broker' }).waitFor()
  })
  afterEach(() => person.leave())

  it('shows every operation, in the order of the API reference', async () => {
    const shown = await page
      .locator('.opblock-summary-path')
      .evaluateAll((paths) => paths.map((path) => path.textContent))
    expect(shown.map((path) => path?.replaceAll('\u200b', ''))).toEqual(operations.map(({ path }) => path))
    await person.check('docs', 'others')
  })

  it('tries a route out with the key that was typed in, and forgets it', async () => {
    await authorize(service.apiKey)
    await tryOut('getToken', 'beach-blend')
    await lastStatus('getToken').waitFor()
    expect(await lastStatus('getToken').textContent()).toContain('200')
    expect(await row('getToken').textContent()).toContain('"uses_sandbox_credentials": false')
    await person.check(undefined, 'others')
    expect(await page.evaluate('localStorage.length + sessionStorage.length + document.cookie.length')).toBe(0)
    await page.reload()
    await tryOut('getConnection', 'beach-blend')
    await lastStatus('getConnection').waitFor()
    expect(await lastStatus('getConnection').textContent()).toContain('401')
  })

  it('shows a problem as it is answered', async () => {
    await authorize(service.apiKey)
    await tryOut('getConnection', 'nobody')
    await lastStatus('getConnection').waitFor()
    expect(await row('getConnection').locator('.live-responses-table').textContent()).toContain('connection_not_found')
  })
})
