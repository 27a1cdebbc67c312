import { createApp } from './app.ts'
import { createComposition } from './composition.ts'
import { createApiKeys } from './crypto/api-keys.ts'
import { createPaginationCursor } from './crypto/pagination-cursor.ts'
import { createFleet } from './fleet/fleet.ts'
import { createRateLimiter } from './middleware/rate-limit.ts'
import { createReadiness } from './readiness.ts'
import { createRpcCalls } from './routes/rpc.ts'
import { type Env, logRequest, logUnknownError, network, runtime, warn } from './runtime.ts'
import { createTableProbe } from './storage/probe.ts'

/** What an isolate answers requests and calls with. The configuration is parsed when a route asks for a part of it. */
export function createService(env: Env) {
  const { now } = runtime
  const composition = createComposition(env, network)
  const { config, broker, dynamo, clock, origin } = composition
  const forcedRefresh = createRateLimiter(env['FORCED_REFRESH_LIMIT'])
  const app = createApp({
    broker,
    fleet: createFleet({ ...composition, isConfigured: () => config.fleet().indexName !== undefined, now }),
    cursors: createPaginationCursor(() => ({ ...config.access(), encryptionKeys: config.encryptionKeys() })),
    ready: createReadiness({
      config,
      probe: createTableProbe(dynamo, clock.requireLeaseClock),
      runtime,
      report: (faults) => warn({ event: 'not_ready', faults }),
    }),
    now,
    identifyClient: createApiKeys(config.access, now),
    origin,
    queryKeysAllowed: () => config.access().queryKeysAllowed,
    successRedirectUrl: () => config.pages().successRedirectUrl,
    rateLimiters: {
      start: createRateLimiter(env['START_LIMIT']),
      companyStart: createRateLimiter(env['START_COMPANY_LIMIT']),
      callback: createRateLimiter(env['CALLBACK_LIMIT']),
      failedKey: createRateLimiter(env['FAILED_KEY_LIMIT']),
      forcedRefresh,
    },
    logRequest,
    logUnknownError,
  })
  return { app, calls: createRpcCalls({ broker, forcedRefresh, now, logRequest, logUnknownError }) }
}
