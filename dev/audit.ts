import { spawnSync } from 'node:child_process'
import * as v from 'valibot'
import { fail, takeNoArguments } from './arguments.ts'

const HELP = `
npm run audit: checks all packages of package-lock.json for known vulnerabilities.

Exit code 1 if one has high or critical severity. If the registry cannot be reached, the check is skipped with exit code 0.
`
const COUNTS = v.object({ low: v.number(), moderate: v.number(), high: v.number(), critical: v.number() })
const REPORT = v.object({
  metadata: v.object({ vulnerabilities: COUNTS }),
  vulnerabilities: v.record(v.string(), v.object({ severity: v.string(), range: v.string() })),
})
const SERIOUS = ['high', 'critical']

const parseReport = (output: string) => {
  try {
    const parsed = v.safeParse(REPORT, JSON.parse(output))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

const print = (text: string) => process.stdout.write(`${text}\n`)

takeNoArguments(HELP)
const { stdout } = spawnSync('npm', ['audit', '--json'], { encoding: 'utf8', timeout: 120_000 })
const report = parseReport(stdout ?? '')
if (report) {
  const { low, moderate, high, critical } = report.metadata.vulnerabilities
  for (const [name, { severity, range }] of Object.entries(report.vulnerabilities)) {
    if (SERIOUS.includes(severity)) print(`${severity}: ${name} ${range}`)
  }
  print(`Known vulnerabilities: ${critical} critical, ${high} high, ${moderate} moderate, ${low} low.`)
  if (high + critical > 0) fail('Update these packages, or explain in SECURITY.md why they do not affect this service.')
} else {
  print('Skipped: the registry has no audit, or could not be reached.')
}
