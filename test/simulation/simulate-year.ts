import { takeNoArguments } from '../../dev/arguments.ts'
import { simulateYear } from './year.ts'

const HELP = `
npm run simulate:year: simulates a year of the idle refresh over 100,000 connections, in minutes. Prints figures as JSON.

The simulated cron runs every three hours with the limit of 36 real runs, which make 60 refreshes every five minutes.

  --help   show this text
`
const REFRESHES_PER_RUN = 60 * 36

takeNoArguments(HELP)
const startedAt = performance.now()
const figures = await simulateYear({
  ...{ connections: 100_000, days: 365, everySeconds: 3 * 3_600, refreshesPerRun: REFRESHES_PER_RUN },
  ...{ inUse: 0.02, withdrawn: 0.01, seed: 1 },
  onDay: (day) => day % 30 === 0 && process.stderr.write(`day ${day}\n`),
})
const seconds = Math.round((performance.now() - startedAt) / 1000)
process.stdout.write(`${JSON.stringify({ ...figures, seconds }, undefined, 2)}\n`)
