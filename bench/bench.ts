import { cpus } from 'node:os'
import { fail, takeOptions } from '../dev/arguments.ts'
import { type Service, startService } from '../test/support/worker-harness.ts'
import { type Figures, measureAlternately } from './alternate.ts'
import { countRouteCalls } from './calls.ts'
import { writeDocument } from './document.ts'
import { simulateGeography } from './geography/geography.ts'
import { measureStoredItems } from './item-size.ts'
import { type Bundles, buildBundles, startCases, storeRecords } from './programs.ts'
import * as report from './report.ts'
import { measureStartUp, type StartUp } from './start-up.ts'
import { createTargets } from './targets.ts'
import { fillTokenCache } from './token-cache.ts'

const HELP = `
npm run bench: the CPU time of a token request, next to a minimal Worker (the floor) and a Worker with the AWS SDK.
Works offline and takes about five minutes.

Starts each program in a workerd process of its own over one embedded DynamoDB, sends the same number of requests to
each in turn, and compares CPU times round by round. Prints the table of targets and writes the generated parts of
docs/performance.md.

  --against DIR   also measure the Worker of another checkout, such as an earlier commit with its packages installed, and
                  print its ratios next to those of this one
  --help          show this text

Requires Linux: the CPU time of a process comes from /proc/PID. Absolute times depend on the machine. Ratios hold.
`

const ROUNDS = 15
const START_UP_ROUNDS = 9
const WARM_UP = 2_000

const say = (text: string) => process.stdout.write(`${text}\n`)

interface Times {
  figures: Figures
  startUp: Record<string, StartUp>
}

const measureTimes = async (bundles: Bundles, vars: Record<string, string>): Promise<Times> => {
  say('Measuring start-up.')
  const startUp = await measureStartUp(bundles, vars, START_UP_ROUNDS)
  say('Measuring requests.')
  const { cases, close } = await startCases(bundles, vars)
  const figures = await measureAlternately(cases, { rounds: ROUNDS, warmUp: WARM_UP })
  await close()
  return { figures, startUp }
}

/** The programs read the table without the proxy that counts requests. */
const toVars = ({ vars, dynamo }: Service) => ({ ...vars, DYNAMODB_ENDPOINT: dynamo.engineUrl })

const describeMachine = () => {
  const [cpu, ...more] = cpus()
  return `Written by \`npm run bench\` on ${more.length + 1} cores of ${cpu?.model ?? 'unknown'}, Node ${process.versions.node}.`
}

const measureAll = async (service: Service, against: string | undefined) => {
  const bundles = await buildBundles(against)
  say('Counting calls and sizes.')
  const calls = await countRouteCalls(service)
  const itemBytes = await measureStoredItems(service)
  await service.intuit.reset()
  const tokenCache = fillTokenCache(await storeRecords(service))
  const times = await measureTimes(bundles, toVars(service))
  return { ...times, calls, itemBytes, tokenCache, script: bundles.service }
}

const writeReport = async (service: Service, against: string | undefined) => {
  const results = await measureAll(service, against)
  const targets = report.createTargetTable(createTargets(results))
  const programs = report.createProgramTable(results.figures)
  say(`\n${targets}\n\n${programs}\n`)
  if (against !== undefined) say(`${report.createComparisonTable(results)}\n`)
  await writeDocument({
    targets: `${describeMachine()}\n\n${targets}`,
    programs,
    'start-up': report.createStartUpTable(results.startUp),
    capacity: report.createCapacityTable(results.itemBytes),
    geography: report.createGeographyTable(await simulateGeography()),
    cost: report.createCostTable(results.itemBytes.usual, results.figures),
  })
  say('Wrote docs/performance.md.')
}

const bench = async () => {
  const { against } = takeOptions(HELP, { against: { type: 'string' } })
  if (process.platform !== 'linux') fail('npm run bench requires Linux: it reads CPU times from /proc.')
  const service = await startService()
  await writeReport(service, against)
  await service.close()
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
bench().then(
  () => process.exit(0),
  (error: unknown) => fail(error instanceof Error ? error.message : 'The benchmark failed.'),
)
