import { createWebhook } from './alerts/webhook.ts'
import type { WaitUntil } from './broker/ports/runtime.ts'
import { createComposition } from './composition.ts'
import { createCronRun } from './fleet/cron-run.ts'
import { type Env, network, runtime } from './runtime.ts'
import { createAlertOutbox } from './storage/alert-outbox.ts'

/**
 * Runs the cron once. It has its own composition, so that only its own network calls count against its limit. Logs what
 * the run did. Throws `storage_unavailable`.
 */
export async function runCron(env: Env, waitUntil: WaitUntil): Promise<void> {
  const { now } = runtime
  let used = 0
  const countingFetch: typeof fetch = (input, init) => {
    used++
    return network(input, init)
  }
  const { config, dynamo, broker, index, cronStateStore } = createComposition(env, countingFetch)
  const { indexName, calls, ...bounds } = config.fleet()
  if (indexName === undefined) return
  const settings = config.alerts()
  const run = createCronRun({
    ...bounds,
    index,
    cronStateStore,
    alerts: settings && {
      outbox: createAlertOutbox(dynamo, () => indexName),
      send: createWebhook(settings, { fetch: countingFetch, now }),
    },
    refreshIdle: (companyKey, notSince) => broker.refreshIdle(companyKey, notSince, waitUntil),
    now,
    calls: { limit: calls, used: () => used },
  })
  console.log(JSON.stringify({ event: 'cron', ...(await run()), calls: used }))
}
