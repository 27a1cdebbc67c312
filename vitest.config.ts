import { cloudflareTest } from '@cloudflare/vitest-pool-workers'
import { defineConfig } from 'vitest/config'

/** Tests that take long by their nature: campaigns, models, frozen processes, tables that throttle. `npm run test:long`. */
const LONG = [
  'test/faults/**/*.test.ts',
  'test/model/**/*.test.ts',
  'test/simulation/**/*.test.ts',
  'test/broker/refresh/{frozen,isolates,late-responses,no-lease,throttled-table}.test.ts',
  'test/storage/{clock-skew,odd-records}.test.ts',
  'test/contract/{fuzz,one-way-steps}.test.ts',
  'test/dev/local-start.test.ts',
]

const patient = {
  // How long a test may take says nothing of the service: on a busy machine each may take long.
  testTimeout: 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 20_000 } },
}

/**
 * `node` drives real processes and pure code, `long` does so for longer than a developer waits, `workerd` runs its tests
 * inside the Workers runtime. `npm test` leaves `long` out; CI runs all.
 */
export default defineConfig({
  test: {
    // By default one core is left free, which on a machine with two leaves one.
    maxWorkers: '100%',
    reporters: ['default', './test/support/last-line-reporter.ts'],
    projects: [
      {
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/workerd/**', ...LONG],
          ...patient,
        },
      },
      { test: { name: 'long', include: LONG, ...patient } },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: { name: 'workerd', include: ['test/workerd/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 180_000 },
      },
    ],
  },
})
