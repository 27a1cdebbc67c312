import { createApp } from './app.ts'
import { createCore } from './composition.ts'
import { createApiKeys } from './crypto/api-keys.ts'
import { cursorSeal } from './crypto/pagination-cursor.ts'
import { createFleet } from './fleet/fleet.ts'
import { once } from './lib/lazy.ts'
import { createRateLimiter } from './middleware/rate-limit.ts'
import { readiness } from './readiness.ts'
import { tokenCalls } from './routes/rpc.ts'
import { type Env, logRequest, network, reportFault, runtime, warn } from './runtime.ts'
import { tableProbe } from './storage/probe.ts'

/** What an isolate answers requests and calls with. Nothing is made before it is asked for. */
export function createService(env: Env) {
  const { now } = runtime
  const core = once(() => createCore(env, network))
  const config = () => core().config
  const broker = () => core().broker
  const forcedRefresh = createRateLimiter(env['FORCED_REFRESH_LIMIT'])
  const app = createApp({
    broker,
    fleet: () => createFleet({ ...core(), isConfigured: () => config().fleet().indexName !== undefined, now }),
    cursors: cursorSeal(() => config().storage().secretAccessKey),
    ready: once(() => {
      const { dynamo, clock } = core()
      const report = (faults: string[]) => warn({ event: 'not_ready', faults })
      return readiness({ config: config(), probe: tableProbe(dynamo, clock.requireLeaseClock), runtime, report })
    }),
    now,
    identifyClient: createApiKeys(() => config().access(), now),
    origin: () => core().origin(),
    queryKeysAllowed: () => config().access().queryKeysAllowed,
    successRedirectUrl: () => config().pages().successRedirectUrl,
    rateLimiters: {
      start: createRateLimiter(env['START_LIMIT']),
      companyStart: createRateLimiter(env['START_COMPANY_LIMIT']),
      callback: createRateLimiter(env['CALLBACK_LIMIT']),
      failedKey: createRateLimiter(env['FAILED_KEY_LIMIT']),
      forcedRefresh,
    },
    logRequest,
    reportFault,
  })
  return { app, calls: once(() => tokenCalls({ broker: broker(), forcedRefresh, now, logRequest, reportFault })) }
}
