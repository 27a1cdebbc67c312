import * as v from 'valibot'
import { DEFAULT_TIMING, fitsTogether } from './broker/timing.ts'
import { alertSettings } from './config/alerts.ts'
import { callerKeys } from './config/caller-keys.ts'
import { clientPairs } from './config/client-pairs.ts'
import { fleetSettings } from './config/fleet.ts'
import { keyList } from './config/key-list.ts'
import { readRegions, regionalEndpoint } from './config/read-regions.ts'
import { startLinks } from './config/start-links.ts'
import { once } from './once.ts'
import { Problem } from './problem.ts'

/** What `config` reads: anything an `env` may hold. Only strings count; bindings are read in `worker.ts`. */
type Env = Record<string, unknown>

const required = v.string()
const optional = v.optional(v.string())

function seconds(fallback: number, max: number) {
  return v.pipe(
    v.optional(v.string(), String(fallback)),
    v.regex(/^\d{1,9}$/, 'must be a whole number of seconds'),
    v.transform(Number),
    v.maxValue(max, `must be at most ${max} seconds`),
  )
}

function milliseconds(fallback: number) {
  return v.pipe(
    v.optional(v.string(), String(fallback)),
    v.regex(/^\d{1,6}$/, 'must be a whole number of milliseconds'),
    v.transform(Number),
    v.minValue(1, 'must be at least 1 millisecond'),
  )
}

function isLoopback({ hostname }: URL) {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)
}

function parsedUrl(text: string) {
  return URL.canParse(text) ? new URL(text) : undefined
}

function isEndpoint(text: string) {
  const url = parsedUrl(text)
  if (!url || url.username || url.password || url.hash) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))
}

/** An OAuth endpoint: https unless loopback, so that no code, token or secret travels in the clear (RFC 6749 section 3). */
function oauthEndpoint(fallback: string) {
  return v.pipe(v.optional(v.string(), fallback), v.check(isEndpoint, 'must be an https URL (http only for loopback)'))
}

function isHttpOrigin(text: string) {
  const url = parsedUrl(text)
  return url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash
}

/** One schema for each part that a route may need: a fault in one leaves the others in service. */
const PARTS = {
  callers: v.pipe(
    v.object({
      API_KEY: optional,
      API_KEYS: v.optional(callerKeys),
      API_KEY_IN_QUERY: v.optional(v.picklist(['true', 'false'], 'must be true or false'), 'true'),
    }),
    v.forward(
      v.check(({ API_KEY, API_KEYS }) => Boolean(API_KEY ?? API_KEYS), 'is missing, and so is API_KEYS'),
      ['API_KEY'],
    ),
    v.transform((env) => ({
      apiKey: env.API_KEY,
      keys: env.API_KEYS ?? [],
      queryKeysAllowed: env.API_KEY_IN_QUERY === 'true',
    })),
  ),
  storage: v.pipe(
    v.object({
      AWS_REGION: v.pipe(required, v.regex(/^[a-z0-9-]+$/, 'must be a region such as us-east-1')),
      AWS_ACCESS_KEY_ID: required,
      AWS_SECRET_ACCESS_KEY: required,
      AWS_SESSION_TOKEN: optional,
      DYNAMODB_TABLE: v.pipe(required, v.regex(/^[\w.-]{3,255}$/, 'must be a table name')),
      DYNAMODB_ENDPOINT: v.optional(v.pipe(v.string(), v.check(isHttpOrigin, 'must be an http or https URL'))),
    }),
    v.transform((env) => ({
      region: env.AWS_REGION,
      accessKeyId: env.AWS_ACCESS_KEY_ID,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
      sessionToken: env.AWS_SESSION_TOKEN,
      table: env.DYNAMODB_TABLE,
      endpoint: env.DYNAMODB_ENDPOINT ?? regionalEndpoint(env.AWS_REGION),
    })),
  ),
  readRegions,
  authorization: v.pipe(
    v.object({
      QUICKBOOKS_REDIRECT_URI: v.pipe(required, v.check(isEndpoint, 'must be an https URL (http only for loopback)')),
      QUICKBOOKS_SCOPES: v.pipe(
        v.optional(v.string(), 'com.intuit.quickbooks.accounting'),
        v.regex(/^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$/, 'must be scopes parted by one space'),
      ),
      INTUIT_AUTHORIZATION_ENDPOINT: oauthEndpoint('https://appcenter.intuit.com/connect/oauth2'),
      OAUTH_STATE_TTL_SECONDS: v.pipe(seconds(600, 86_400), v.minValue(1, 'must be at least 1 second')),
    }),
    v.transform((env) => ({
      redirectUri: env.QUICKBOOKS_REDIRECT_URI,
      scope: env.QUICKBOOKS_SCOPES,
      authorizationEndpoint: env.INTUIT_AUTHORIZATION_ENDPOINT,
      stateTtlSeconds: env.OAUTH_STATE_TTL_SECONDS,
    })),
  ),
  exchange: v.pipe(
    v.object({
      INTUIT_TOKEN_ENDPOINT: oauthEndpoint('https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer'),
      // Asked for before a code or a token is spent: what comes back for it has to be sealed.
      TOKEN_ENCRYPTION_KEYS: v.optional(keyList),
    }),
    v.transform((env) => ({ tokenEndpoint: env.INTUIT_TOKEN_ENDPOINT })),
  ),
  revocation: v.pipe(
    v.object({ INTUIT_REVOCATION_ENDPOINT: oauthEndpoint('https://developer.api.intuit.com/v2/oauth2/tokens/revoke') }),
    v.transform((env) => ({ revocationEndpoint: env.INTUIT_REVOCATION_ENDPOINT })),
  ),
  sealing: v.pipe(
    v.object({ TOKEN_ENCRYPTION_KEYS: v.optional(keyList) }),
    v.transform((env) => env.TOKEN_ENCRYPTION_KEYS ?? []),
  ),
  pages: v.pipe(
    v.object({
      SUCCESS_REDIRECT_URL: v.optional(
        v.pipe(v.string(), v.check(isEndpoint, 'must be an https URL (http only for loopback)')),
      ),
    }),
    v.transform((env) => ({ successRedirectUrl: env.SUCCESS_REDIRECT_URL })),
  ),
  startLinks,
  realms: v.pipe(
    v.object({ ONE_KEY_PER_REALM: v.optional(v.picklist(['true', 'false'], 'must be true or false'), 'false') }),
    v.transform((env) => ({ oneKeyPerRealm: env.ONE_KEY_PER_REALM === 'true' })),
  ),
  freshness: v.pipe(
    v.object({ TOKEN_REFRESH_MARGIN_SECONDS: seconds(300, 86_400), TOKEN_CACHE_SECONDS: seconds(10, 3600) }),
    v.transform((env) => ({
      marginSeconds: env.TOKEN_REFRESH_MARGIN_SECONDS,
      cacheSeconds: env.TOKEN_CACHE_SECONDS,
    })),
  ),
  timing: v.pipe(
    v.object({
      REFRESH_LEASE_MS: milliseconds(DEFAULT_TIMING.leaseMs),
      REFRESH_DEADLINE_MS: milliseconds(DEFAULT_TIMING.deadlineMs),
      REFRESH_WAIT_MS: milliseconds(DEFAULT_TIMING.waitMs),
      INTUIT_TIMEOUT_MS: milliseconds(DEFAULT_TIMING.intuitMs),
      CLOCK_SKEW_MS: milliseconds(DEFAULT_TIMING.skewMs),
    }),
    v.transform((env) => ({
      leaseMs: env.REFRESH_LEASE_MS,
      deadlineMs: env.REFRESH_DEADLINE_MS,
      intuitMs: env.INTUIT_TIMEOUT_MS,
      waitMs: env.REFRESH_WAIT_MS,
      skewMs: env.CLOCK_SKEW_MS,
    })),
    v.check(
      fitsTogether,
      'has times that do not fit together: REFRESH_LEASE_MS must be at least REFRESH_DEADLINE_MS and twice CLOCK_SKEW_MS, INTUIT_TIMEOUT_MS at most two thirds of REFRESH_DEADLINE_MS',
    ),
  ),
  fleet: fleetSettings,
  alerts: alertSettings(v.pipe(v.string(), v.check(isEndpoint, 'must be an https URL (http only for loopback)'))),
  clients: clientPairs,
  production: v.pipe(
    v.object({ QUICKBOOKS_CLIENT_ID: required, QUICKBOOKS_CLIENT_SECRET: required }),
    v.transform((env) => ({ clientId: env.QUICKBOOKS_CLIENT_ID, clientSecret: env.QUICKBOOKS_CLIENT_SECRET })),
  ),
  sandbox: v.pipe(
    v.object({ QUICKBOOKS_SANDBOX_CLIENT_ID: required, QUICKBOOKS_SANDBOX_CLIENT_SECRET: required }),
    v.transform((env) => ({
      clientId: env.QUICKBOOKS_SANDBOX_CLIENT_ID,
      clientSecret: env.QUICKBOOKS_SANDBOX_CLIENT_SECRET,
    })),
  ),
}

type Parts = typeof PARTS
type Settings<Part extends keyof Parts> = v.InferOutput<Parts[Part]>
export type StorageSettings = Settings<'storage'>
export type ReadRegions = Settings<'readRegions'>
export type ClientPair = Settings<'production'>

/** The configuration, part by part. Each part throws `configuration_error`, naming all its faulty variables and no value. */
export type Config = { [Part in keyof Parts]: () => Settings<Part> }

/** Where a fault is. A member that no schema knows is not named: it may be anything that was pasted. */
function placeOf(issue: v.BaseIssue<unknown>) {
  const path = (issue.path ?? []).map(({ key }) => String(key))
  return path.slice(0, issue.expected === 'never' ? -1 : undefined).join('.') || 'the environment'
}

function faultText(issue: v.BaseIssue<unknown>) {
  const name = placeOf(issue)
  return issue.input === undefined ? `${name} is missing` : `${name} ${issue.message}`
}

/** An empty variable is an unset one, as `wrangler dev --var NAME:` leaves it. */
function setVariables(env: Env) {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => typeof value === 'string' && value !== ''))
}

function parsedOnce<Schema extends v.GenericSchema>(schema: Schema, variables: Env) {
  return once((): v.InferOutput<Schema> => {
    const result = v.safeParse(schema, variables)
    if (result.success) return result.output
    const faults = result.issues.map(faultText).join('; ')
    throw new Problem('configuration_error', `The operator has to configure this deployment: ${faults}.`)
  })
}

/** Reads an `env`. Nothing is parsed before a route asks for it, so that `/health` answers whatever is missing. */
export function readConfig(env: Env): Config {
  const variables = setVariables(env)
  return {
    callers: parsedOnce(PARTS.callers, variables),
    storage: parsedOnce(PARTS.storage, variables),
    readRegions: parsedOnce(PARTS.readRegions, variables),
    authorization: parsedOnce(PARTS.authorization, variables),
    exchange: parsedOnce(PARTS.exchange, variables),
    revocation: parsedOnce(PARTS.revocation, variables),
    sealing: parsedOnce(PARTS.sealing, variables),
    pages: parsedOnce(PARTS.pages, variables),
    realms: parsedOnce(PARTS.realms, variables),
    startLinks: parsedOnce(PARTS.startLinks, variables),
    freshness: parsedOnce(PARTS.freshness, variables),
    timing: parsedOnce(PARTS.timing, variables),
    fleet: parsedOnce(PARTS.fleet, variables),
    alerts: parsedOnce(PARTS.alerts, variables),
    clients: parsedOnce(PARTS.clients, variables),
    production: parsedOnce(PARTS.production, variables),
    sandbox: parsedOnce(PARTS.sandbox, variables),
  }
}
