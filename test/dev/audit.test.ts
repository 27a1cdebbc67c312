import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runCommand } from './run-command.ts'

const folder = mkdtempSync(join(tmpdir(), 'broker-audit-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the audit with an npm that prints this output. */
const auditWith = (answer: string) => {
  const npm = join(folder, 'npm')
  writeFileSync(npm, `#!/bin/sh\ncat <<'END'\n${answer}\nEND\nexit 1\n`)
  chmodSync(npm, 0o755)
  return runCommand('audit.ts', { PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` })
}
const report = (severity: string, counts: Record<string, number>) =>
  JSON.stringify({
    vulnerabilities: { 'a-package': { severity, range: '<1.2.3' } },
    metadata: { vulnerabilities: { info: 0, low: 0, moderate: 0, high: 0, critical: 0, total: 1, ...counts } },
  })

describe('npm run audit', () => {
  it.each(['high', 'critical'])(
    'fails for a known vulnerability of %s severity, and names the package',
    async (severity) => {
      const { code, output } = await auditWith(report(severity, { [severity]: 1 }))
      expect(code).toBe(1)
      expect(output).toContain(`${severity}: a-package <1.2.3`)
    },
  )

  it('counts those of lower severity and passes', async () => {
    const { code, output } = await auditWith(report('moderate', { moderate: 1 }))
    expect({ code, output }).toEqual({
      code: 0,
      output: 'Known vulnerabilities: 0 critical, 0 high, 1 moderate, 0 low.\n',
    })
  })

  it.each(['', 'npm error', '{"message":"405 Method Not Allowed","error":{"summary":""}}'])(
    'reports that it is skipped if the registry has no audit: %j',
    async (answer) => {
      const { code, output } = await auditWith(answer)
      expect({ code, output }).toEqual({
        code: 0,
        output: 'Skipped: the registry has no audit, or could not be reached.\n',
      })
    },
  )
})
