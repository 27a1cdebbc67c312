import { createWebhook } from './alerts/webhook.ts'
import type { WaitUntil } from './broker/ports/runtime.ts'
import { createComposition } from './composition.ts'
import { createCronRun } from './fleet/cron-run.ts'
import { type Env, network, runtime } from './runtime.ts'
import { createAlertOutbox } from './storage/alert-outbox.ts'

/** One run of the cron, with parts of its own: what they send is counted against the limit of this run alone. */
export async function runCron(env: Env, waitUntil: WaitUntil): Promise<void> {
  const { now } = runtime
  let used = 0
  const counting: typeof fetch = (input, init) => {
    used++
    return network(input, init)
  }
  const { config, dynamo, broker, index, rounds } = createComposition(env, counting)
  const { indexName, calls, ...bounds } = config.fleet()
  if (indexName === undefined) return
  const settings = config.alerts()
  const run = createCronRun({
    ...bounds,
    index,
    rounds,
    alerts: settings && {
      outbox: createAlertOutbox(dynamo, () => indexName),
      send: createWebhook(settings, { fetch: counting, now }),
    },
    refreshIdle: (companyKey, notSince) => broker.refreshIdle(companyKey, notSince, waitUntil),
    now,
    calls: { limit: calls, used: () => used },
  })
  console.log(JSON.stringify({ event: 'cron', ...(await run()), calls: used }))
}
