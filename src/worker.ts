import { WorkerEntrypoint } from 'cloudflare:workers'
import type { RefreshOptions, TokenOptions, TokensBinding } from '../client/rpc.d.ts'
import { webhook } from './alerts/webhook.ts'
import { createApp } from './app.ts'
import { createBroker } from './broker/broker.ts'
import { createFleet } from './broker/fleet.ts'
import { fleetRun } from './broker/fleet-run.ts'
import type { KeepAlive, LogEvent, Surroundings } from './broker/ports.ts'
import { readConfig } from './config.ts'
import { base64Url } from './crypto/bytes.ts'
import { callerKeys } from './crypto/caller-keys.ts'
import { cursorSeal } from './crypto/cursor.ts'
import { sealingVault } from './crypto/sealing.ts'
import { linkSigner } from './crypto/start-link.ts'
import { intuit } from './intuit/intuit.ts'
import { once } from './once.ts'
import { readiness } from './readiness.ts'
import type { RequestLine } from './request-log.ts'
import { rescueOf } from './rescue/rescue.ts'
import { RescueStore } from './rescue/rescue-store.ts'
import { brakeBy } from './routes/brakes.ts'
import { startLinkUrl } from './routes/start-link.ts'
import { tokenCalls } from './rpc.ts'
import { connectionStore } from './storage/connections.ts'
import { disconnectionStore } from './storage/disconnections.ts'
import { dynamoDb } from './storage/dynamodb.ts'
import { fleetIndex } from './storage/fleet.ts'
import { outbox } from './storage/outbox.ts'
import { tableProbe } from './storage/probe.ts'
import { realmStore } from './storage/realms.ts'
import { replicas } from './storage/replicas.ts'
import { roundStore } from './storage/rounds.ts'
import { stateStore } from './storage/states.ts'

export { RescueStore }

const NONCE_BYTES = 24

const surroundings: Surroundings = {
  now: () => Date.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  random: () => Math.random(),
  nonce: () => base64Url(crypto.getRandomValues(new Uint8Array(NONCE_BYTES))),
}

const network: typeof fetch = (input, init) => fetch(input, init)

/** Frames without the message: an unknown error's text may quote what it choked on. */
function frames(error: unknown) {
  return error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : []
}

function reportFault(error: unknown, requestId: string) {
  const name = error instanceof Error ? error.name : typeof error
  console.error(JSON.stringify({ event: 'internal_error', request_id: requestId, error: name, frames: frames(error) }))
}

function logRequest(line: RequestLine) {
  return console.log(JSON.stringify(line))
}

function log(event: LogEvent) {
  return console.warn(JSON.stringify(event))
}

/** The binding is optional: without it a pair whose every write fails has no second place. */
function isRescueNamespace(binding: unknown): binding is DurableObjectNamespace<RescueStore> {
  return typeof binding === 'object' && binding !== null && 'getByName' in binding
}

function warnPlain() {
  const detail = 'Tokens are stored as they are. Set TOKEN_ENCRYPTION_KEYS, then run npm run keys:reseal.'
  console.warn(JSON.stringify({ event: 'tokens_not_sealed', detail }))
}

/** The configuration, the table and the broker over them, each request of theirs by `network`. */
function createParts(env: Record<string, unknown>, network: typeof fetch) {
  const config = readConfig(env)
  /** Where Intuit sends people back to: the request's own host is the caller's to choose. */
  const origin = () => new URL(config.authorization().redirectUri).origin
  const reach = { ...surroundings, fetch: network }
  const dynamo = dynamoDb(config.storage, reach)
  const broker = createBroker({
    connections: connectionStore(dynamo),
    replicas: env['DYNAMODB_READ_REGIONS'] ? replicas(config, reach, log) : undefined,
    rescue: isRescueNamespace(env['RESCUE']) ? rescueOf(env['RESCUE'], surroundings) : undefined,
    disconnections: disconnectionStore(dynamo),
    realms: realmStore(dynamo),
    oneKeyPerRealm: () => config.realms().oneKeyPerRealm,
    states: stateStore(dynamo),
    intuit: intuit(config, { fetch: network, now: surroundings.now }),
    vault: sealingVault(config.sealing, once(warnPlain)),
    linkSigner: linkSigner(() => config.startLinks().keys),
    startLinkMode: () => config.startLinks().mode,
    bindsBrowser: () => config.startLinks().bindsBrowser,
    surroundings,
    log,
    timing: config.timing,
    cacheSeconds: () => config.freshness().cacheSeconds,
    marginSeconds: () => config.freshness().marginSeconds,
    startUrl: (companyKey, companyName) =>
      config.startLinks().mode === 'open'
        ? startLinkUrl(origin(), { companyKey, companyName, signed: undefined })
        : undefined,
    stateTtlSeconds: () => config.authorization().stateTtlSeconds,
  })
  const index = fleetIndex(dynamo, () => config.fleet().indexName ?? '')
  return { config, origin, dynamo, broker, index, rounds: roundStore(dynamo) }
}

function createService(env: Record<string, unknown>) {
  const { config, origin, dynamo, broker, index, rounds } = createParts(env, network)
  const { now } = surroundings
  const app = createApp({
    broker,
    fleet: createFleet({ index, rounds, isConfigured: () => config.fleet().indexName !== undefined, now }),
    cursors: cursorSeal(() => config.storage().secretAccessKey),
    ready: readiness({
      config,
      probe: tableProbe(dynamo),
      now,
      report: (faults) => console.warn(JSON.stringify({ event: 'not_ready', faults })),
    }),
    now,
    identify: callerKeys(config.callers, surroundings.now),
    origin,
    queryKeysAllowed: () => config.callers().queryKeysAllowed,
    successRedirectUrl: () => config.pages().successRedirectUrl,
    brakes: {
      start: brakeBy(env['START_LIMIT']),
      companyStart: brakeBy(env['START_COMPANY_LIMIT']),
      callback: brakeBy(env['CALLBACK_LIMIT']),
      failedKey: brakeBy(env['FAILED_KEY_LIMIT']),
    },
    logRequest,
    reportFault,
  })
  return { app, calls: tokenCalls({ broker, now, logRequest, reportFault }) }
}

/** Built once per isolate: it keeps the signing key, and no data. */
const services = new WeakMap<object, ReturnType<typeof createService>>()

function serviceFor(env: Record<string, unknown>) {
  const service = services.get(env) ?? createService(env)
  services.set(env, service)
  return service
}

/** One run of the cron, with parts of its own: what they send is counted against the limit of this run alone. */
async function runCron(env: Record<string, unknown>, ctx: ExecutionContext) {
  let used = 0
  const counting: typeof fetch = (input, init) => {
    used++
    return network(input, init)
  }
  const { config, dynamo, broker, index, rounds } = createParts(env, counting)
  const { indexName, calls, ...bounds } = config.fleet()
  if (indexName === undefined) return
  const settings = config.alerts()
  const run = fleetRun({
    ...bounds,
    index,
    rounds,
    alerts: settings && {
      outbox: outbox(dynamo, () => indexName),
      send: webhook(settings, { fetch: counting, now: surroundings.now }),
    },
    refreshIdle: (companyKey, notSince) =>
      broker.refreshIdle(companyKey, notSince, (promise) => ctx.waitUntil(promise)),
    now: surroundings.now,
    calls: { limit: calls, used: () => used },
  })
  console.log(JSON.stringify({ event: 'cron', ...(await run()), calls: used }))
}

/** Tokens for other Workers of the account, over a service binding with the entrypoint `Tokens`: the binding is the permission. */
export class Tokens extends WorkerEntrypoint<Record<string, unknown>> implements TokensBinding {
  readonly #keepAlive: KeepAlive = (promise) => this.ctx.waitUntil(promise)

  getToken(companyKey: string, options?: TokenOptions) {
    return serviceFor(this.env).calls.getToken(companyKey, options, this.#keepAlive)
  }

  refreshToken(companyKey: string, options?: RefreshOptions) {
    return serviceFor(this.env).calls.refreshToken(companyKey, options, this.#keepAlive)
  }

  getConnection(companyKey: string) {
    return serviceFor(this.env).calls.getConnection(companyKey)
  }
}

export default {
  fetch: (request, env, ctx) => serviceFor(env).app.fetch(request, env, ctx),
  scheduled: (_, env, ctx) => runCron(env, ctx),
} satisfies ExportedHandler<Record<string, unknown>>
