import { cloudflareTest } from '@cloudflare/vitest-pool-workers'
import { defineConfig } from 'vitest/config'

/** Two projects: `node` drives real processes and pure code, `workerd` runs its tests inside the Workers runtime. */
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
          exclude: ['test/workerd/**'],
          // How long a test may take says nothing of the service: on a busy machine each may take long.
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll: { timeout: 20_000 } },
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: { name: 'workerd', include: ['test/workerd/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 180_000 },
      },
    ],
  },
})
