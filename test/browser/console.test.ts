import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshKey } from '../support/fixtures.ts'
import { hasChromium, inChromium, launchChromium } from './chromium.ts'
import { listed, offered } from './made-up-fleet.ts'
import { createPerson, type Person } from './person.ts'
import { type Browsable, startBrowsable } from './service.ts'

let service: Browsable
let browser: Browser
let person: Person
let page: Page

const card = (name: string) => page.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) })
const field = (label: string) => page.getByLabel(label)
const press = (name: string | RegExp) => page.getByRole('button', { name }).click()
const visible = (text: string | RegExp) => page.getByText(text).first().waitFor()

const signIn = async (apiKey = service.apiKey) => {
  await page.goto(`${service.origin}/console`)
  await field('API key').fill(apiKey)
  await press('Sign in')
}

const lookUp = async (key: string) => {
  await field('Company key').first().fill(key)
  await press('Look up')
}

describe.skipIf(!hasChromium)(inChromium('the console, in Chromium,'), () => {
  beforeAll(async () => {
    ;[service, browser] = await Promise.all([startBrowsable(), launchChromium()])
  })
  afterAll(async () => {
    await browser.close()
    await service.close()
  })
  beforeEach(async () => {
    person = await createPerson(browser, service.hosts)
    page = person.page
  })
  afterEach(() => person.leave())

  it('lets nobody in with a wrong key, and keeps none', async () => {
    await signIn('wrong')
    await visible('This API key is not accepted.')
    expect(await page.evaluate('sessionStorage.length')).toBe(0)
    await person.check()
  })

  it('keeps the key for this tab and sends it in the header alone', async () => {
    const sent: string[] = []
    page.on('request', (request) => {
      const { 'x-api-key': key, ...others } = request.headers()
      sent.push([request.url(), request.postData(), JSON.stringify(others)].join(' '))
    })
    await signIn()
    await visible(/does not list its connections/)
    await page.reload()
    await visible(/does not list its connections/)
    expect(sent.join('\n')).not.toContain(service.apiKey)
    const other = await page.context().newPage()
    await other.goto(`${service.origin}/console`)
    await other.getByLabel('API key').waitFor()
    expect(await page.evaluate('localStorage.length + document.cookie.length')).toBe(0)
    await press('Sign out')
    expect(await page.evaluate('sessionStorage.length')).toBe(0)
    await page.reload()
    expect(await field('API key').inputValue()).toBe('')
  })

  it('finds a connection, keeps it in the list, refreshes it, and shows no token', async () => {
    const key = freshKey()
    await service.connect(key, { companyName: '<b>Beach</b> & Blend' })
    const before = await (await service.api(`/api/token/${key}`)).json()
    await signIn()
    await lookUp(key)
    const one = card('<b>Beach</b> & Blend')
    await one.getByText('Connected', { exact: true }).waitFor()
    expect(await one.textContent()).toMatch(/in \d\d minutes/)
    expect(await one.textContent()).toMatch(/10[01] days left/)
    await page.reload()
    await one.getByRole('button', { name: 'Refresh' }).click()
    await one.getByText('Refreshed just now.').waitFor()
    const after = await (await service.api(`/api/token/${key}`)).json()
    expect(after.access_token).not.toBe(before.access_token)
    expect(await page.content()).not.toContain(after.access_token)
    expect(await one.getByRole('button', { name: 'Disconnect' }).count()).toBe(1)
    await one.getByRole('button', { name: 'Remove here' }).click()
    await page.reload()
    await visible(/does not list its connections/)
  })

  it('says what went wrong in the service’s words', async () => {
    await signIn()
    await lookUp('nobody-knows')
    await visible(/no connection/i)
    await lookUp('-bad')
    await visible(/begins with a letter or digit/)
    const key = freshKey()
    await service.connect(key, { companyName: 'Beach Blend' })
    await lookUp(key)
    await card('Beach Blend').waitFor()
    await service.intuit.fault({ endpoint: 'token', times: 3, fault: { kind: 'status', status: 503 } })
    await card('Beach Blend').getByRole('button', { name: 'Refresh' }).click()
    await card('Beach Blend')
      .getByText(/Request [0-9a-f-]{36}/)
      .waitFor()
    await service.intuit.heal()
  })

  it('gives a start link that connects a new company', async () => {
    const key = freshKey()
    await signIn()
    await press('New connection…')
    await field('Company key').last().fill(key)
    await field('Company name (optional)').fill('Pier 9 & Sons')
    await press('Create a start link')
    const link = await page.getByRole('textbox', { name: 'Start link' }).inputValue()
    expect(link).toBe(`${service.origin}/oauth/start/${key}?company_name=Pier+9+%26+Sons`)
    await page.goto(link)
    await press('Connect')
    await page.waitForURL(`${service.origin}/oauth/connected`)
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Pier 9 & Sons is connected')
  })

  it('shows a listed fleet with every status, page by page', async () => {
    await listed(page)
    await signIn()
    await press('Show more')
    await visible('6 connections: 2 connected, 1 expiring, 1 failing, 1 reconnect required, 1 unfinished')
    expect(await card('Lighthouse Supplies').textContent()).toContain('6 days left')
    expect(await card('Beach Blend').textContent()).toMatch(/in 43 minutes.*99 days left.*1,700 days left/)
    expect(await card('Harbour Books').textContent()).toContain('intuit_unavailable (1-628f0be4-0000)')
    expect(await card('Palm Court Hotel').textContent()).toContain('ended 3 days ago')
    expect(await page.getByRole('button', { name: 'Show more' }).count()).toBe(0)
  })

  it('disconnects only after it was asked twice', async () => {
    const calls = await offered(page, 'beach-blend')
    await signIn()
    await lookUp('beach-blend')
    const disconnect = card('Beach Blend').getByRole('button', { name: 'Disconnect' })
    await disconnect.click()
    await press('Cancel')
    await disconnect.click()
    await page.keyboard.press('Escape')
    expect(calls).not.toContain('DELETE /api/connections/beach-blend')
    await disconnect.click()
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect', exact: true }).click()
    await visible('Disconnected.')
    expect(calls.filter((call) => call.startsWith('DELETE'))).toEqual(['DELETE /api/connections/beach-blend'])
    expect(await disconnect.count()).toBe(0)
  })

  it('copies the service’s own signed start link where there is one', async () => {
    await offered(page, 'beach-blend')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await signIn()
    await lookUp('beach-blend')
    await card('Beach Blend').getByRole('button', { name: 'Start link' }).click()
    expect(await page.getByRole('textbox', { name: 'Start link' }).inputValue()).toContain('signature=abc')
    await visible(/It expires in 60 minutes/)
    await press('Copy link')
    await visible('Copied.')
  })

  it('asks for the key again when the service no longer takes it', async () => {
    await signIn()
    await visible(/does not list its connections/)
    await page.route(/\/api\/connections\/beach/, (route) => route.fulfill({ status: 401, json: {} }))
    await lookUp('beach')
    await visible('The API key is no longer accepted.')
    expect(await page.evaluate('sessionStorage.length')).toBe(0)
  })

  it('needs no mouse: sign in, look up, refresh, make a link, sign out', async () => {
    const key = freshKey()
    await service.connect(key, { companyName: 'Beach Blend' })
    await page.goto(`${service.origin}/console`)
    await person.tabTo(/API key/)
    await page.keyboard.insertText(service.apiKey)
    await page.keyboard.press('Enter')
    await visible(/does not list its connections/)
    await person.tabTo(/Company key/)
    await page.keyboard.insertText(key)
    await page.keyboard.press('Enter')
    await card('Beach Blend').waitFor()
    await person.tabTo(/Start link/)
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await person.tabTo(/Refresh/)
    await page.keyboard.press('Enter')
    await visible('Refreshed just now.')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Refresh')
    await person.tabTo(/Sign out/)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })

  it('can be read by everybody, phone or screen, light or dark', async () => {
    await page.goto(`${service.origin}/console`)
    await person.check('console-sign-in')
    await listed(page)
    await offered(page, 'beach-blend')
    await signIn()
    await press('Show more')
    await visible(/6 connections/)
    await person.check('console')
    await press('New connection…')
    await person.check('console-new')
    await press('Cancel')
    await card('Beach Blend').getByRole('button', { name: 'Start link' }).click()
    await person.check('console-start-link')
    await press('Close')
    await card('Beach Blend').getByRole('button', { name: 'Disconnect' }).click()
    await person.check('console-disconnect')
  })

  it('can be read by everybody where there is no list', async () => {
    await signIn()
    await visible(/does not list its connections/)
    await person.check('console-no-list')
  })
})
