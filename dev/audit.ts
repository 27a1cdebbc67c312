import { spawnSync } from 'node:child_process'
import * as v from 'valibot'
import { fail, takeNoArguments } from './arguments.ts'

const HELP = `
npm run audit: asks the registry for known holes in the packages that package-lock.json names, development's included.

Ends with 1 where there is one of high severity or above. A registry that cannot be asked is said, and no fault.
`
const COUNTS = v.object({ low: v.number(), moderate: v.number(), high: v.number(), critical: v.number() })
const REPORT = v.object({
  metadata: v.object({ vulnerabilities: COUNTS }),
  vulnerabilities: v.record(v.string(), v.object({ severity: v.string(), range: v.string() })),
})
const SERIOUS = ['high', 'critical']

const parsedReport = (output: string) => {
  try {
    const parsed = v.safeParse(REPORT, JSON.parse(output))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

const say = (text: string) => process.stdout.write(`${text}\n`)

takeNoArguments(HELP)
const { stdout } = spawnSync('npm', ['audit', '--json'], { encoding: 'utf8', timeout: 120_000 })
const report = parsedReport(stdout ?? '')
if (report) {
  const { low, moderate, high, critical } = report.metadata.vulnerabilities
  for (const [name, { severity, range }] of Object.entries(report.vulnerabilities)) {
    if (SERIOUS.includes(severity)) say(`${severity}: ${name} ${range}`)
  }
  say(`Known holes: ${critical} critical, ${high} high, ${moderate} moderate, ${low} low.`)
  if (high + critical > 0) fail('Update the packages above, or say in SECURITY.md why their holes do not concern us.')
} else {
  say('Skipped: the registry offers no audit, or could not be reached.')
}
