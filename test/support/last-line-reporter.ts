import type { Reporter, TestModule } from 'vitest/node'

/** Prints `N passed, N failed` as the last line of a run, for scripts. A file that does not load counts as failed. */
export default class LastLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]) {
    let passed = 0
    let failed = unhandledErrors.length
    let skipped = 0
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) {
        const { state } = test.result()
        if (state === 'passed') passed++
        else if (state === 'failed') failed++
        else skipped++
      }
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) failed++
    }
    process.once('exit', () => {
      if (skipped > 0) process.stdout.write(`${skipped} skipped, the reason in each name\n`)
      process.stdout.write(`${passed} passed, ${failed} failed\n`)
    })
  }
}
