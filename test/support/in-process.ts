import { randomBytes } from 'node:crypto'
import { setTimeout as waitFor } from 'node:timers/promises'
import { createApp } from '../../src/app.ts'
import type { LogEvent } from '../../src/broker/ports/runtime.ts'
import { readConfig, requireConsent, requireDisconnect, requireRefresh } from '../../src/config/config.ts'
import { createApiKeys } from '../../src/crypto/api-keys.ts'
import { createLinkSigner } from '../../src/crypto/link-signer.ts'
import { createPaginationCursor } from '../../src/crypto/pagination-cursor.ts'
import { createTokenVault } from '../../src/crypto/token-vault.ts'
import { createFleet } from '../../src/fleet/fleet.ts'
import { createAuthorizationServer } from '../../src/intuit/authorization-server.ts'
import type { RequestLine } from '../../src/middleware/request-log.ts'
import { createMemoryCronState, createMemoryFleetIndex } from '../simulation/fleet-in-memory.ts'
import { createMemoryBroker } from './memory-broker.ts'
import { createMemoryStores } from './memory-stores.ts'

const secret = () => randomBytes(24).toString('base64url')
const keyList = (kid: string) => `${kid}:${randomBytes(32).toString('base64')}`

export const ORIGIN = 'http://localhost:8787'
export const AUTHORIZATION_ENDPOINT = 'https://intuit.example/connect/oauth2'

/** Secrets that no response or log line may contain. */
export const newSecrets = () => ({ apiKey: secret(), clientSecret: secret(), refreshToken: `RT1-${secret()}` })

interface InProcessOptions {
  secrets: ReturnType<typeof newSecrets>
  /** Intuit's responses. */
  fetch: typeof fetch
  vars?: Record<string, string>
}

const variables = ({ secrets, vars }: InProcessOptions) => ({
  API_KEY: secrets.apiKey,
  QUICKBOOKS_CLIENT_ID: 'production-id',
  QUICKBOOKS_CLIENT_SECRET: secrets.clientSecret,
  QUICKBOOKS_SANDBOX_CLIENT_ID: 'sandbox-id',
  QUICKBOOKS_SANDBOX_CLIENT_SECRET: secrets.clientSecret,
  QUICKBOOKS_REDIRECT_URI: `${ORIGIN}/oauth/callback`,
  INTUIT_AUTHORIZATION_ENDPOINT: AUTHORIZATION_ENDPOINT,
  INTUIT_TOKEN_ENDPOINT: 'https://intuit.example/token',
  INTUIT_REVOCATION_ENDPOINT: 'https://intuit.example/revoke',
  TOKEN_ENCRYPTION_KEYS: keyList('sealing'),
  START_LINK_KEYS: keyList('links'),
  BIND_BROWSER: 'true',
  ONE_KEY_PER_REALM: 'true',
  INTUIT_TIMEOUT_MS: '20',
  // This also limits how long the Worker waits for a late response.
  REFRESH_DEADLINE_MS: '60',
  ...vars,
})

/** The service in this process, over stores in memory and the given network. Sleeping only advances the clock. */
export const createInProcessService = (options: InProcessOptions) => {
  const config = readConfig(variables(options))
  let time = Date.now()
  const stores = createMemoryStores()
  const faults: unknown[] = []
  const events: LogEvent[] = []
  const lines: RequestLine[] = []
  const free = async () => undefined
  const vault = createTokenVault(
    config.encryptionKeys,
    () => undefined,
    () => config.encryptedTokens().isRequired,
  )
  const runtime = {
    now: () => time,
    sleep: async (milliseconds: number) => {
      time += milliseconds
    },
    random: Math.random,
    nonce: secret,
  }
  const broker = createMemoryBroker({
    ...stores,
    rescue: undefined,
    requiresProof: () => config.companyProof().isRequired,
    oneKeyPerRealm: () => config.realms().oneKeyPerRealm,
    settings: {
      requireConsent: (environment) => requireConsent(config, environment),
      requireRefresh: (environment) => requireRefresh(config, environment),
      requireDisconnect: (environment) => requireDisconnect(config, environment),
    },
    intuit: createAuthorizationServer(config, { ...runtime, fetch: options.fetch, sleep: waitFor }),
    vault,
    linkSigner: createLinkSigner(() => config.startLinks().keys),
    startLinkMode: () => config.startLinks().mode,
    bindsBrowser: () => config.startLinks().bindsBrowser,
    runtime,
    timing: config.timing,
    log: (event) => events.push(event),
    cacheSeconds: () => config.tokenCache().cacheSeconds,
    marginSeconds: () => config.freshness().marginSeconds,
    stateTtlSeconds: () => config.authorization().stateTtlSeconds,
    startUrl: (companyKey) => `${ORIGIN}/oauth/start/${companyKey}`,
  })
  const app = createApp({
    broker,
    fleet: createFleet({
      ...{ index: createMemoryFleetIndex(stores.rows).index, cronStateStore: createMemoryCronState() },
      ...{ isConfigured: () => config.fleet().indexName !== undefined, now: runtime.now },
    }),
    cursors: createPaginationCursor(() => ({ ...config.access(), encryptionKeys: config.encryptionKeys() })),
    ready: async () => [],
    identifyClient: createApiKeys(config.access, runtime.now),
    queryKeysAllowed: () => config.access().queryKeysAllowed,
    successRedirectUrl: () => config.pages().successRedirectUrl,
    origin: () => ORIGIN,
    rateLimiters: {
      start: free,
      companyStart: free,
      callback: free,
      companyCallback: free,
      failedKey: free,
      forcedRefresh: free,
    },
    now: runtime.now,
    logRequest: (line) => lines.push(line),
    logUnknownError: (error) => faults.push(error),
  })
  const background: Promise<unknown>[] = []
  const context = {
    waitUntil: (promise: Promise<unknown>) => void background.push(promise),
    passThroughOnException: () => undefined,
    props: {},
  }
  return {
    fetch: async (request: Request) => app.fetch(request, undefined, context),
    /** Waits for the background work of all responses. */
    settled: () => Promise.allSettled(background.splice(0)),
    rows: stores.rows,
    vault,
    now: runtime.now,
    /** Unknown errors, as reported to the operator. */
    faults,
    events,
    lines,
  }
}
