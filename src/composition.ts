import { createBroker } from './broker/broker.ts'
import type { Runtime } from './broker/ports/runtime.ts'
import { DEFAULT_TIMING } from './broker/timing.ts'
import { type Config, readConfig, requireConsent, requireDisconnect, requireRefresh } from './config/config.ts'
import { isSet } from './config/variables.ts'
import { createLinkSigner } from './crypto/link-signer.ts'
import { createTokenVault } from './crypto/token-vault.ts'
import { createAuthorizationServer } from './intuit/authorization-server.ts'
import { lazy } from './lib/lazy.ts'
import { createRescueClient, type RescueNamespace } from './rescue/rescue-client.ts'
import { startLinkUrl } from './routes/start-link.ts'
import { type Env, runtime as local, warn } from './runtime.ts'
import { createConnectionStore } from './storage/connection-store.ts'
import { createCronStateStore } from './storage/cron-state-store.ts'
import { createDisconnectionStore } from './storage/disconnection-store.ts'
import { createDynamoDb } from './storage/dynamodb.ts'
import { createFleetIndex } from './storage/fleet-index.ts'
import { createRealmStore } from './storage/realm-store.ts'
import { createReplicaStore } from './storage/replica-store.ts'
import { createStateStore } from './storage/state-store.ts'
import { tableClock } from './storage/table-clock.ts'

/** The binding is optional: without it a pair whose every write fails has no second place. */
function isRescueNamespace(binding: unknown): binding is RescueNamespace {
  return typeof binding === 'object' && binding !== null && 'getByName' in binding
}

function warnUnencrypted() {
  const detail = 'Tokens are stored as they are. Set TOKEN_ENCRYPTION_KEYS, then run npm run keys:reseal.'
  warn({ event: 'tokens_not_encrypted', detail })
}

/** The skew that the configuration allows. Faulty times stop refreshes; they need not stop reads of a skewed Worker. */
function allowedSkewMs({ timing }: Config): number {
  try {
    return timing().skewMs
  } catch {
    return DEFAULT_TIMING.skewMs
  }
}

/**
 * The configuration, the table and the broker over them, each request of theirs by `network`. The broker has one clock
 * for everything that it compares, stores or sends: the table's, which all Workers share.
 */
export function createComposition(env: Env, network: typeof fetch, localRuntime: Runtime = local) {
  const config = readConfig(env)
  const clock = tableClock({ now: localRuntime.now, skewMs: () => allowedSkewMs(config), log: warn })
  const runtime = { ...localRuntime, now: clock.now }
  /** Where Intuit sends people back to: the request's own host is the caller's to choose. */
  const origin = () => new URL(config.authorization().redirectUri).origin
  // The table's own client goes by local time, which it corrects.
  const tableReach = { ...localRuntime, fetch: network, clock, log: warn }
  const dynamo = createDynamoDb(config.storage, tableReach)
  const broker = createBroker({
    connections: createConnectionStore(dynamo, clock.requireLeaseClock),
    replicas: isSet(env, 'DYNAMODB_READ_REGIONS') ? createReplicaStore(config, tableReach, warn) : undefined,
    rescue: isRescueNamespace(env['RESCUE']) ? createRescueClient(env['RESCUE'], runtime) : undefined,
    disconnections: createDisconnectionStore(dynamo),
    realms: createRealmStore(dynamo),
    oneKeyPerRealm: () => config.realms().oneKeyPerRealm,
    states: createStateStore(dynamo),
    settings: {
      requireConsent: (environment) => requireConsent(config, environment),
      requireRefresh: (environment) => requireRefresh(config, environment),
      requireDisconnect: (environment) => requireDisconnect(config, environment),
    },
    intuit: createAuthorizationServer(config, { ...runtime, fetch: network }),
    vault: createTokenVault(config.encryptionKeys, lazy(warnUnencrypted)),
    linkSigner: createLinkSigner(() => config.startLinks().keys),
    startLinkMode: () => config.startLinks().mode,
    bindsBrowser: () => config.startLinks().bindsBrowser,
    runtime,
    log: warn,
    timing: config.timing,
    cacheSeconds: () => config.tokenCache().cacheSeconds,
    marginSeconds: () => config.freshness().marginSeconds,
    startUrl: (companyKey, companyName, signed) =>
      config.startLinks().mode === 'open' || signed
        ? startLinkUrl(origin(), { companyKey, companyName, signed })
        : undefined,
    stateTtlSeconds: () => config.authorization().stateTtlSeconds,
  })
  const index = createFleetIndex(dynamo, () => config.fleet().indexName ?? '')
  return { config, origin, dynamo, clock, broker, index, cronStateStore: createCronStateStore(dynamo) }
}
