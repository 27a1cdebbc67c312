import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import * as v from 'valibot'
import { expect } from 'vitest'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const VIOLATIONS = v.array(v.object({ id: v.string(), targets: v.array(v.string()) }))
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

interface Look {
  width: 360 | 1280
  scheme: 'light' | 'dark'
}

const LOOKS: Look[] = [
  { width: 360, scheme: 'light' },
  { width: 360, scheme: 'dark' },
  { width: 1280, scheme: 'dark' },
  { width: 1280, scheme: 'light' },
]

/** Written by `npm run test:browser` alone, so that a plain run leaves the working tree as it was. */
const images = process.env['SCREENSHOTS'] ? fileURLToPath(new URL('../../docs/images', import.meta.url)) : undefined

/** Of the four looks the two that differ most stand for all. */
const imageName = (name: string, { width, scheme }: Look) => {
  if (width === 1280 && scheme === 'light') return `${name}.png`
  return width === 360 && scheme === 'dark' ? `${name}-phone-dark.png` : undefined
}

/** The answers that Chromium reports as errors by itself; that they come is for each test to expect. */
const isErrorResponse = (text: string) =>
  /^Failed to load resource: the server responded with a status of \d+/.test(text)

const watch = (page: Page, hosts: string[]) => {
  const faults: string[] = []
  const answers: { path: string; status: number }[] = []
  page.on('console', (message) => {
    if (/error|warning/.test(message.type()) && !isErrorResponse(message.text())) faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url())
    if (protocol !== 'data:' && !hosts.includes(host)) faults.push(`A request went to ${host}.`)
  })
  page.on('response', (answer) => answers.push({ path: new URL(answer.url()).pathname, status: answer.status() }))
  return { faults, answers }
}

const violations = async (page: Page) => {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(AXE)
  const found: unknown = await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) =>
      violations.map(({ id, nodes }) => ({ id, targets: nodes.map(({ target }) => target.join(' ')) })))`,
  )
  return v.parse(VIOLATIONS, found)
}

const keepImage = async (page: Page, name: string, look: Look) => {
  const file = imageName(name, look)
  if (!images || !file) return
  await mkdir(images, { recursive: true })
  await page.evaluate('scrollTo(0, 0)')
  await page.screenshot({ path: join(images, file), caret: 'hide' })
}

/** Shorter than a test's own limit, so that the failure names what was waited for. */
const PATIENCE_MS = 60_000

/** Someone at a browser window of their own, with an eye on everything that must not happen there. */
export const createPerson = async (browser: Browser, hosts: string[]) => {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  const { faults, answers } = watch(page, hosts)
  return {
    page,
    answers,
    /**
     * Everybody can read the page as it stands, on a phone and on a screen, by day and by night, and nothing is cut off.
     * `image` names the picture to keep of it. What others made is not held to the rules for our own pages.
     */
    check: async (image?: string, madeBy: 'us' | 'others' = 'us') => {
      for (const look of LOOKS) {
        await page.setViewportSize({ width: look.width, height: look.width === 360 ? 740 : 800 })
        await page.emulateMedia({ colorScheme: look.scheme })
        if (madeBy === 'us') expect({ look, violations: await violations(page) }).toEqual({ look, violations: [] })
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(look.width)
        if (image) await keepImage(page, image, look)
      }
    },
    /** Presses Tab until the focus is on what bears this text or label. */
    tabTo: async (name: RegExp) => {
      const seen: string[] = []
      while (seen.length < 40) {
        await page.keyboard.press('Tab')
        const focused = String(
          await page.evaluate(
            `(({ ariaLabel, textContent, labels, localName }) =>
              localName === 'body' ? '' : [ariaLabel, textContent, labels?.[0]?.textContent].join(' '))(document.activeElement)`,
          ),
        )
        if (name.test(focused)) return
        seen.push(focused.trim().slice(0, 40))
      }
      throw new Error(`Tab never came to ${name}, but to: ${seen.join(' | ')}`)
    },
    /** Ends the visit. Nothing may have gone wrong in it. */
    leave: async () => {
      await context.close()
      expect(faults).toEqual([])
    },
  }
}

export type Person = Awaited<ReturnType<typeof createPerson>>
