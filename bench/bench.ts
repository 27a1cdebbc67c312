import { cpus } from 'node:os'
import { fail, takeNoArguments } from '../dev/arguments.ts'
import { startService } from '../test/support/worker-harness.ts'
import { callsOfRoutes } from './calls.ts'
import { measureCases } from './cases.ts'
import { writeDocument, writeImage } from './document.ts'
import { simulateGeography } from './geography/geography.ts'
import { measureGrowth, writeGrowthRecords } from './growth.ts'
import { storedSizes } from './item-size.ts'
import { rememberedAtMost } from './memory.ts'
import { svgOf } from './plot.ts'
import { bundles } from './programs.ts'
import { OWN_KEY, PLAIN_KEY } from './records.ts'
import * as report from './report.ts'
import { type Setting, startSetting } from './setting.ts'
import { measureStartUp } from './start-up.ts'
import { targetsOf } from './targets.ts'
import { startWorkerd } from './workerd.ts'

const HELP = `
npm run bench: what a token request costs, against what else one could run. Offline; some five minutes.

Runs the built Worker in workerd itself, a floor and two peers beside it, over one embedded DynamoDB; sends a
fixed number of requests to each in turn, in rounds, and compares their CPU time. Prints the table of targets and writes
the generated parts of docs/performance.md and docs/images/performance-growth.svg.

Needs Linux: the CPU time of each process is read from /proc/PID. Absolute figures are this machine's; the ratios carry.
`
const say = (text: string) => process.stdout.write(`${text}\n`)

/** Counts and sizes through the whole service with a counting proxy before the engine. */
const addToWindow = async () => {
  const service = await startService()
  const calls = await callsOfRoutes(service)
  const itemBytes = await storedSizes(service)
  await service.close()
  return { calls, itemBytes }
}

/** Isolates that may remember for as long as this takes. */
const growth = async ({ table, plain, vars, load }: Setting, script: string) => {
  await writeGrowthRecords(table, plain)
  const start = () => startWorkerd({ script, vars: { ...vars, TOKEN_CACHE_SECONDS: '600' } })
  return measureGrowth(load, start, vars.API_KEY)
}

const measured = async () => {
  const scripts = await bundles()
  say('Counting calls and sizes.')
  const counts = await addToWindow()
  const setting = await startSetting(scripts)
  say('Measuring the start of isolates.')
  const loaded = await measureStartUp(scripts, setting.vars, { service: undefined, floor: undefined })
  const health = await measureStartUp(scripts, setting.vars, { service: '/health', floor: '/health' })
  const logging = { service: scripts.service, floor: scripts.floorLogging }
  const healthLogged = await measureStartUp(logging, setting.vars, { service: '/health', floor: '/health' })
  const [service, floor] = [`/api/token/${OWN_KEY}`, `/api/token/${PLAIN_KEY}`]
  const firstRead = await measureStartUp(scripts, setting.vars, { service, floor })
  say('Measuring the programs side by side.')
  const figures = await measureCases(setting)
  say('Measuring growth.')
  const points = await growth(setting, scripts.service)
  const memory = rememberedAtMost(await setting.table.item(OWN_KEY))
  await setting.close()
  say('Simulating the geography.')
  return {
    ...counts,
    figures,
    startUp: { loaded, health, healthLogged, firstRead },
    points,
    memory,
    script: scripts.service,
    geography: await simulateGeography(),
  }
}

const machine = () => {
  const [cpu, ...more] = cpus()
  return `Written by \`npm run bench\` on ${more.length + 1} cores of ${cpu?.model ?? 'a machine'}, Node ${process.versions.node}.`
}

const bench = async () => {
  takeNoArguments(HELP)
  if (process.platform !== 'linux') fail('npm run bench needs Linux: it reads CPU times from /proc.')
  const results = await measured()
  const targets = report.targetTable(targetsOf(results))
  say(`\n${targets}\n\n${report.programTable(results.figures)}\n`)
  await writeImage('performance-growth.svg', svgOf(report.growthPlot(results.points)))
  await writeDocument({
    targets: `${machine()}\n\n${targets}`,
    programs: report.programTable(results.figures),
    'start-up': report.startUpTable(results.startUp),
    growth: report.growthTable(results.points),
    capacity: report.capacityTable(results.itemBytes),
    geography: report.geographyTable(results.geography),
    cost: report.costTables(results.itemBytes.usual, results.figures),
  })
  say('Written to docs/performance.md.')
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
bench().then(
  () => process.exit(0),
  (error: unknown) => fail(error instanceof Error ? error.message : 'The benchmarks failed.'),
)
