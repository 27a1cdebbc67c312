import { cloudflareTest } from '@cloudflare/vitest-pool-workers'
import { defineConfig } from 'vitest/config'

/** Long tests: fault campaigns, models, frozen processes, throttled tables. `npm run test:long` runs them. */
const LONG = [
  'test/faults/**/*.test.ts',
  'test/model/**/*.test.ts',
  'test/simulation/**/*.test.ts',
  'test/broker/refresh/{frozen,isolates,late-responses,no-lease,throttled-table}.test.ts',
  'test/storage/{clock-skew,odd-records}.test.ts',
  'test/contract/{fuzz,one-way-steps}.test.ts',
  'test/dev/local-start.test.ts',
]

/** Long timeouts, because a busy machine may slow down every test. Milliseconds. */
const LONG_TIMEOUTS = {
  testTimeout: 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 20_000 } },
}

/**
 * The projects `node` and `long` run in Node, with processes of workerd where needed. `workerd` runs inside the Workers
 * runtime. `npm test` skips `long`. CI runs all.
 */
export default defineConfig({
  test: {
    // The default leaves one core free.
    maxWorkers: '100%',
    reporters: ['default', './test/support/last-line-reporter.ts'],
    projects: [
      {
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/workerd/**', ...LONG],
          ...LONG_TIMEOUTS,
        },
      },
      { test: { name: 'long', include: LONG, ...LONG_TIMEOUTS } },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: { name: 'workerd', include: ['test/workerd/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 180_000 },
      },
    ],
  },
})
