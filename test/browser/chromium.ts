import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

const CANDIDATES = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

const executablePath = CANDIDATES.find((path) => path !== undefined && existsSync(path))

export const hasChromium = executablePath !== undefined

/** Names a suite, with the reason in it where it cannot run. */
export const inChromium = (name: string): string =>
  hasChromium ? name : `${name} (skipped: no Chromium here; apt-get install chromium, or set CHROMIUM to its path)`

if (!hasChromium) process.stdout.write('No Chromium was found: the tests of the pages are skipped.\n')

const FLAGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
]

/** Starts Chromium. Its sandbox cannot be had by root. */
export const launchChromium = () =>
  chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    timeout: 120_000,
    args: process.getuid?.() === 0 ? [...FLAGS, '--no-sandbox'] : FLAGS,
  })
