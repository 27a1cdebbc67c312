import { createApp } from './app.ts'
import { createBroker } from './broker/broker.ts'
import type { Runtime } from './broker/ports/runtime.ts'
import { DEFAULT_TIMING } from './broker/timing.ts'
import { type Config, readConfig, requireConsent, requireDisconnect, requireRefresh } from './config/config.ts'
import { isSet } from './config/variables.ts'
import { createApiKeys } from './crypto/api-keys.ts'
import { createLinkSigner } from './crypto/link-signer.ts'
import { createPaginationCursor } from './crypto/pagination-cursor.ts'
import { createTokenVault } from './crypto/token-vault.ts'
import { createFleet } from './fleet/fleet.ts'
import { createAuthorizationServer } from './intuit/authorization-server.ts'
import { lazy } from './lib/lazy.ts'
import { createRateLimiter } from './middleware/rate-limit.ts'
import { createReadiness } from './readiness.ts'
import { createRescueClient, type RescueNamespace } from './rescue/rescue-client.ts'
import { createRpcCalls } from './routes/rpc.ts'
import { startLinkUrl } from './routes/start-link.ts'
import { type Env, runtime as local, logRequest, logUnknownError, network, warn } from './runtime.ts'
import { createConnectionStore } from './storage/connection-store.ts'
import { createCronStateStore } from './storage/cron-state-store.ts'
import { createDisconnectionStore } from './storage/disconnection-store.ts'
import { createDynamoDb } from './storage/dynamodb.ts'
import { createFleetIndex } from './storage/fleet-index.ts'
import { createTableProbe } from './storage/probe.ts'
import { createRealmStore } from './storage/realm-store.ts'
import { createReplicaStore } from './storage/replica-store.ts'
import { createStateStore } from './storage/state-store.ts'
import { createTableClock } from './storage/table-clock.ts'

/** The binding is optional. Without it, a token pair that the table does not accept cannot be parked. */
function isRescueNamespace(binding: unknown): binding is RescueNamespace {
  return typeof binding === 'object' && binding !== null && 'getByName' in binding
}

function warnWeakApiKey() {
  warn({ event: 'weak_api_key', detail: 'API_KEY is easy to guess. Set it to at least 32 random characters.' })
}

function warnUnencrypted() {
  const detail = 'Tokens are stored as they are. Set TOKEN_ENCRYPTION_KEYS, then run npm run keys:reseal.'
  warn({ event: 'tokens_not_encrypted', detail })
}

/**
 * The allowed clock skew in milliseconds. A malformed variable stops refreshes, but not reads, so it falls back to the
 * default.
 */
function allowedSkewMs({ timing }: Config): number {
  try {
    return timing().skewMs
  } catch {
    return DEFAULT_TIMING.skewMs
  }
}

/**
 * The configuration, the storage adapters and the broker. They send every request with `fetcher`. The broker has one
 * clock for everything that it compares, stores or sends: the table's, which all Workers share.
 */
export function createComposition(env: Env, fetcher: typeof fetch, localRuntime: Runtime = local) {
  const config = readConfig(env)
  const clock = createTableClock({ now: localRuntime.now, skewMs: () => allowedSkewMs(config), log: warn })
  const runtime = { ...localRuntime, now: clock.now }
  /** The origin of the redirect URI. The host of a request is not trusted, because the caller chooses it. */
  const origin = () => new URL(config.authorization().redirectUri).origin
  // The DynamoDB client uses local time and corrects it.
  const tableReach = { ...localRuntime, fetch: fetcher, clock, log: warn }
  const dynamo = createDynamoDb(config.storage, tableReach)
  const broker = createBroker({
    connections: createConnectionStore(dynamo, clock.requireLeaseClock),
    replicas: isSet(env, 'DYNAMODB_READ_REGIONS') ? createReplicaStore(config, tableReach, warn) : undefined,
    rescue: isRescueNamespace(env['RESCUE']) ? createRescueClient(env['RESCUE'], runtime) : undefined,
    disconnections: createDisconnectionStore(dynamo),
    realms: createRealmStore(dynamo),
    requiresProof: () => config.companyProof().isRequired,
    oneKeyPerRealm: () => config.realms().oneKeyPerRealm,
    states: createStateStore(dynamo),
    settings: {
      requireConsent: (environment) => requireConsent(config, environment),
      requireRefresh: (environment) => requireRefresh(config, environment),
      requireDisconnect: (environment) => requireDisconnect(config, environment),
    },
    intuit: createAuthorizationServer(config, { ...runtime, fetch: fetcher }),
    vault: createTokenVault(config.encryptionKeys, lazy(warnUnencrypted), () => config.encryptedTokens().isRequired),
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

/**
 * The app for HTTP requests and the functions for RPC calls. Each part of the configuration is parsed when a route
 * needs it.
 */
export function createHandlers(env: Env) {
  const { now } = local
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
      runtime: local,
      report: (faults) => warn({ event: 'not_ready', faults }),
    }),
    now,
    identifyClient: createApiKeys(config.access, now, lazy(warnWeakApiKey)),
    origin,
    queryKeysAllowed: () => config.access().queryKeysAllowed,
    successRedirectUrl: () => config.pages().successRedirectUrl,
    rateLimiters: {
      start: createRateLimiter(env['START_LIMIT']),
      companyStart: createRateLimiter(env['START_COMPANY_LIMIT']),
      callback: createRateLimiter(env['CALLBACK_LIMIT']),
      companyCallback: createRateLimiter(env['CALLBACK_COMPANY_LIMIT']),
      failedKey: createRateLimiter(env['FAILED_KEY_LIMIT']),
      forcedRefresh,
    },
    logRequest,
    logUnknownError,
  })
  return { app, calls: createRpcCalls({ broker, forcedRefresh, now, logRequest, logUnknownError }) }
}
