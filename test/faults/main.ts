import { readFile, writeFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { fail, takeOptions } from '../../dev/arguments.ts'
import { runCampaign } from './campaign.ts'
import { type Figures, figuresText, type Upsets } from './figures.ts'
import { runFreezes } from './freezes.ts'
import { runShiftedClock } from './shifted-clocks.ts'
import { BORNE, runTableOutage } from './table-outage.ts'
import type { Tally } from './tally.ts'
import { throttleTable } from './throttled-table.ts'
import { measureWaiters } from './waiters.ts'

const HELP = `
npm run test:faults: runs refreshes with a fault at every call, against the built Worker in several processes.
Takes some minutes and writes its figures to docs/refresh.md.

  --seed N       seed of the faults (default 20260801). Use the seed of a failed run to repeat it.
  --refreshes N  number of refreshes in each of the two modes of Intuit (default 1200)
  --cuts N       number of them that a killed Worker cuts short (default 60)
  --waiters      only measure how long callers wait for a refresh under another lease, and write nothing
  --upsets       only freeze Workers, throttle the table and shift clocks, and write nothing
  --help         show this text
`
const REAL_OUTAGE_MS = 20_000
const WAITERS_BOUND_MS = 500
const DOCUMENT = new URL('../../docs/refresh.md', import.meta.url)
const MARKED = /(<!-- figures -->\n)[\s\S]*(<!-- end of figures -->)/

const say = (text: string) => process.stdout.write(`${text}\n`)

const number = (name: string, text: string): number => {
  if (/^\d{1,10}$/.test(text)) return Number(text)
  return fail(`--${name} must be a number. See --help.`)
}

const unwanted = ({ violations, usedAfterSuccessor }: Tally) => violations.length + usedAfterSuccessor

const campaigns = async (seed: number, refreshes: number, cuts: number) => {
  const run = async (mode: 'strict' | 'own') => {
    const tally = await runCampaign({ mode, seed, refreshes, cuts, victims: 2, closures: 4, connections: 40 })
    say(
      `${mode}: ${tally.faulted} refreshes with faults, ${tally.cut} cut short, ${unwanted(tally)} broken guarantees.`,
    )
    for (const violation of tally.violations) say(violation)
    return tally
  }
  return { strict: await run('strict'), own: await run('own') }
}

const realOutage = async () => {
  const outcome = await runTableOutage(REAL_OUTAGE_MS)
  const { refreshed, other, ...rest } = outcome
  const { refreshed: _, other: __, ...expected } = BORNE
  const borne = refreshed.status === 200 && other.status === 503 && isDeepStrictEqual(rest, expected)
  say(
    `Outage of the table for 20 s right after a rotation, in real time: ${borne ? 'as guaranteed' : JSON.stringify(outcome)}.`,
  )
  return borne
}

/** Runs in real time, except for the freezes. */
const upsets = async (): Promise<Upsets> => {
  const freezes = await runFreezes(4, 14)
  const clocks = []
  for (const aheadSeconds of [60, -60, 15]) clocks.push(await runShiftedClock(aheadSeconds, 20))
  const throttled = []
  for (const workers of [1, 3]) {
    const load = { workers, connections: 400, callers: 128, writesPerSecond: 8 }
    throttled.push(await throttleTable({ vars: {}, ...load, forMs: 30_000, settlesMs: 30_000 }))
  }
  return { freezes, clocks, throttled }
}

const unwantedIn = ({ freezes, clocks, throttled }: Upsets) =>
  freezes.lost +
  freezes.usedAfterSuccessor +
  clocks.reduce((sum, { lost, usedAfterSuccessor }) => sum + lost + usedAfterSuccessor, 0) +
  throttled.reduce((sum, { lost }) => sum + lost, 0)

const write = async (figures: Figures) => {
  const text = await readFile(DOCUMENT, 'utf8')
  if (!MARKED.test(text)) fail('docs/refresh.md has no markers for the figures.')
  const marked = (_: string, begin: string, end: string) => `${begin}${figuresText(figures)}\n${end}`
  await writeFile(DOCUMENT, text.replace(MARKED, marked))
  say('Wrote the figures to docs/refresh.md.')
}

const options = takeOptions(HELP, {
  seed: { type: 'string', default: '20260801' },
  refreshes: { type: 'string', default: '1200' },
  cuts: { type: 'string', default: '60' },
  waiters: { type: 'boolean', default: false },
  upsets: { type: 'boolean', default: false },
})

const runWhole = async () => {
  const seed = number('seed', options.seed)
  say(`Seed ${seed}.`)
  const [isBorne, { strict, own }] = await Promise.all([
    realOutage(),
    campaigns(seed, number('refreshes', options.refreshes), number('cuts', options.cuts)),
  ])
  const waiting = await measureWaiters()
  const figures = { seed, strict, own, waiting, ...(await upsets()) }
  say(figuresText(figures))
  if (!isBorne || unwanted(strict) + unwanted(own) + unwantedIn(figures) > 0)
    fail('A guarantee of docs/refresh.md was broken.')
  await write(figures)
  if (waiting.p99 > WAITERS_BOUND_MS) say('The callers waited longer than the bound. Is this machine busy?')
}

const runUpsets = async () => {
  const outcome = await upsets()
  say(JSON.stringify(outcome, undefined, 2))
  if (unwantedIn(outcome) > 0) fail('A guarantee of docs/refresh.md was broken.')
}

if (options.waiters) say(JSON.stringify(await measureWaiters(), undefined, 2))
else if (options.upsets) await runUpsets()
else await runWhole()
