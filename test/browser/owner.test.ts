import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshKey } from '../support/fixtures.ts'
import { hasChromium, inChromium, launchChromium } from './chromium.ts'
import { createPerson, type Person } from './person.ts'
import { type Browsable, startBrowsable } from './service.ts'

let service: Browsable
let browser: Browser
let person: Person

const startLink = (key: string, name = 'Beach Blend') =>
  `${service.origin}/oauth/start/${key}?company_name=${encodeURIComponent(name)}`
const heading = () => person.page.getByRole('heading', { level: 1 }).textContent()
const press = (name: string) => person.page.getByRole('button', { name }).click()
const callbacks = () => person.answers.filter(({ path }) => path === '/oauth/callback').map(({ status }) => status)
const arriveAt = (path: string) => person.page.waitForURL(`${service.origin}${path}`)
/** Every address that Back or Forward could bring back, of this origin and in a row. */
const visited = async () => String(await person.page.evaluate('navigation.entries().map(({ url }) => url).join("\\n")'))

const connect = async (key: string, name?: string) => {
  await person.page.goto(startLink(key, name))
  await press('Connect')
  await arriveAt('/oauth/connected')
}

const failAfter = async (key: string, mishap: () => unknown) => {
  await person.page.goto(startLink(key))
  await mishap()
  await press('Connect')
  await arriveAt('/oauth/failed')
}

const MISHAPS: Record<string, { title: RegExp; status: number; go: (key: string) => Promise<void> }> = {
  denied: {
    title: /Nothing was connected/,
    status: 400,
    go: async (key) => {
      await person.page.goto(startLink(key))
      await press('No thanks')
      await arriveAt('/oauth/failed')
    },
  },
  'expired-link': {
    title: /has been used or has expired/,
    status: 400,
    go: (key) => failAfter(key, () => service.expireState(key)),
  },
  'wrong-company': {
    title: /The company does not match/,
    status: 409,
    go: async (key) => {
      await service.connect(key, { realmId: '9130347596842384926' })
      await failAfter(key, () => person.page.getByRole('radio', { name: /Beach Blend/ }).check())
    },
  },
  'intuit-down': {
    title: /QuickBooks is not available/,
    status: 502,
    go: (key) =>
      failAfter(key, () =>
        service.intuit.fault({ endpoint: 'token', times: 2, fault: { kind: 'status', status: 503, body: '<html>' } }),
      ),
  },
  'storage-down': {
    title: /We could not finish this/,
    status: 503,
    go: (key) =>
      failAfter(key, () => service.dynamo.fault({ kind: 'error', status: 500, type: 'InternalServerError' })),
  },
}

describe.skipIf(!hasChromium)(inChromium('the owner of a company, in Chromium,'), () => {
  beforeAll(async () => {
    ;[service, browser] = await Promise.all([startBrowsable(), launchChromium()])
  })
  afterAll(async () => {
    await browser.close()
    await service.close()
  })
  beforeEach(async () => {
    await service.intuit.reset()
    person = await createPerson(browser, service.hosts)
  })
  afterEach(async () => {
    service.dynamo.heal()
    await person.leave()
  })

  it('connects a company from the link to the word that it is done', async () => {
    const key = freshKey()
    await connect(key, 'Müller & Söhne <Wood>')
    expect(await heading()).toBe('Müller & Söhne <Wood> is connected')
    expect(callbacks()).toEqual([200])
    expect((await service.api(`/api/token/${key}`)).status).toBe(200)
  })

  it('finds neither code nor state in the address bar or the history', async () => {
    await connect(freshKey())
    expect(await visited()).toContain('/oauth/connected')
    expect(await visited()).not.toMatch(/code|state|callback/)
    await person.page.goto(startLink(freshKey()))
    await press('No thanks')
    await arriveAt('/oauth/failed')
    expect(await visited()).not.toMatch(/code|state|callback/)
  })

  it('notices by the company ID which company was chosen on a link for another', async () => {
    const key = freshKey()
    await person.page.goto(startLink(key, 'Two Tabs'))
    await person.page.getByRole('radio', { name: /Harbour Books/ }).check()
    await press('Connect')
    await arriveAt('/oauth/connected')
    const { realm_id: realmId } = await (await service.api(`/api/connections/${key}`)).json()
    await person.page.getByText('Two Tabs').first().waitFor()
    await person.page.getByText(realmId).waitFor()
    await person.page.getByText('If you chose the wrong company').waitFor()
  })

  it('is shown no success that this browser has not seen', async () => {
    await person.page.goto(`${service.origin}/oauth/connected`)
    expect(await heading()).toBe('Nothing to show here')
  })

  it('can reload the success page, which uses nothing and still has the name', async () => {
    await connect(freshKey())
    await person.page.reload()
    expect(await heading()).toBe('Beach Blend is connected')
    expect(callbacks()).toEqual([200])
    expect((await service.intuit.state()).counts.exchange).toBe(1)
  })

  it('may go back and forth, which does not call the callback again', async () => {
    await connect(freshKey())
    await person.page.goBack()
    expect(await heading()).toMatch(/Allow an app/)
    await person.page.goForward()
    expect(await heading()).toBe('Beach Blend is connected')
    expect(callbacks()).toEqual([200])
    expect((await service.intuit.state()).counts.exchange).toBe(1)
  })

  it.each(Object.entries(MISHAPS))(
    'is told what to do when the visit ends as %s, and begins again',
    async (_, mishap) => {
      const key = freshKey()
      await mishap.go(key)
      expect(await heading()).toMatch(mishap.title)
      expect(callbacks()).toEqual([mishap.status])
      await person.page.reload()
      expect(await heading()).toMatch(mishap.title)
      service.dynamo.heal()
      await service.intuit.heal()
      await person.page.getByRole('link', { name: 'Try again' }).click()
      expect(await heading()).toMatch(/Allow an app/)
      await person.page.getByRole('radio', { name: /Harbour Books/ }).check()
      await press('Connect')
      await arriveAt('/oauth/connected')
      expect((await service.api(`/api/token/${key}`)).status).toBe(200)
    },
  )

  it('needs no mouse: from the link over a refusal to a connected company', async () => {
    const { page } = person
    await page.goto(startLink(freshKey()))
    await person.tabTo(/No thanks/)
    await page.keyboard.press('Enter')
    await arriveAt('/oauth/failed')
    await person.tabTo(/Try again/)
    await page.keyboard.press('Enter')
    await page.waitForURL(/connect\/oauth2/)
    await person.tabTo(/Beach Blend/)
    await page.keyboard.press('ArrowDown')
    expect(await page.getByRole('radio', { name: /Harbour Books/ }).isChecked()).toBe(true)
    await person.tabTo(/^ ?Connect/)
    await page.keyboard.press('Enter')
    await arriveAt('/oauth/connected')
  })

  it('needs no script', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(startLink(freshKey()))
    await page.getByRole('button', { name: 'Connect' }).click()
    await page.waitForURL(`${service.origin}/oauth/connected`)
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Beach Blend is connected')
    await context.close()
  })

  const PAGES: Record<string, (key: string) => Promise<unknown>> = {
    consent: (key) => person.page.goto(startLink(key)),
    connected: (key) => connect(key),
    ...Object.fromEntries(Object.entries(MISHAPS).map(([name, { go }]) => [name, go])),
    'denied-connected': async (key) => {
      await service.connect(key, { companyName: 'Beach Blend', realmId: '9130347596842384926' })
      await MISHAPS['denied']?.go(key)
    },
    'nothing-kept': () => person.page.goto(`${service.origin}/oauth/connected`),
    'wrong-link': () => person.page.goto(`${service.origin}/oauth/start/-beach`),
    disconnected: () => person.page.goto(`${service.origin}/intuit/disconnected?realmId=1`),
    reconnect: () => person.page.goto(`${service.origin}/intuit/reconnect?realmId=1`),
  }

  it.each(Object.entries(PAGES))('can read every page, on phone or screen, light or dark: %s', async (name, go) => {
    await go(freshKey())
    await person.check(name)
  })

  it('can open what helps the person who runs the service', async () => {
    await person.page.goto(`${service.origin}/oauth/start/-beach`)
    await person.page.getByText('For the person who runs this service').click()
    await person.page.getByText('invalid_company_key').waitFor()
    await person.check()
  })

  it('can read a name that has no place to break', async () => {
    await connect(freshKey(), 'W'.repeat(200))
    await person.check()
  })
})
