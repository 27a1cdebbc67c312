import type { Environment } from '../broker/company.ts'
import { ACCESS } from './access.ts'
import { ALERTS } from './alerts.ts'
import { CLIENT_CREDENTIALS } from './client-credentials.ts'
import { AUTHORIZATION, PAGES, REALMS } from './consent.ts'
import { STORAGE } from './dynamodb.ts'
import { EXCHANGE, PRODUCTION, REVOCATION, SANDBOX } from './intuit.ts'
import { FLEET } from './operations.ts'
import { createPart, type Fault, type Part, requireParts } from './part.ts'
import { READ_REGIONS } from './read-regions.ts'
import { START_LINKS } from './start-links.ts'
import { ENCRYPTION_KEYS, FRESHNESS, TIMING, TOKEN_CACHE } from './tokens.ts'
import { type Env, readVariables } from './variables.ts'

/** The configuration, part by part. */
export type Config = ReturnType<typeof readConfig>
type Settings<Name extends keyof Config> = ReturnType<Config[Name]>
export type StorageSettings = Settings<'storage'>
export type ReadRegions = Settings<'readRegions'>
export type ClientCredentials = Settings<'production'>

/**
 * Reads an `env`. A part is parsed when a route asks for it: `/health` answers whatever is missing, and a fault in one
 * part does not affect routes that do not need it. Bindings are read where they are used.
 */
export function readConfig(env: Env) {
  const variables = readVariables(env)
  return {
    access: createPart(ACCESS, variables),
    storage: createPart(STORAGE, variables),
    readRegions: createPart(READ_REGIONS, variables),
    authorization: createPart(AUTHORIZATION, variables),
    exchange: createPart(EXCHANGE, variables),
    revocation: createPart(REVOCATION, variables),
    encryptionKeys: createPart(ENCRYPTION_KEYS, variables),
    pages: createPart(PAGES, variables),
    realms: createPart(REALMS, variables),
    startLinks: createPart(START_LINKS, variables),
    freshness: createPart(FRESHNESS, variables),
    tokenCache: createPart(TOKEN_CACHE, variables),
    timing: createPart(TIMING, variables),
    fleet: createPart(FLEET, variables),
    alerts: createPart(ALERTS, variables),
    clients: createPart(CLIENT_CREDENTIALS, variables),
    production: createPart(PRODUCTION, variables),
    sandbox: createPart(SANDBOX, variables),
  }
}

/** Every variable that this service reads, by name. */
export function variableNames(config: Config): string[] {
  return [...new Set(Object.values(config).flatMap((part: Part) => part.names()))]
}

/** What is wrong with the whole configuration, each fault once. One client pair is enough, and neither may be half. */
export function configurationFaults({ production: _, sandbox: __, ...parts }: Config): Fault[] {
  const faults = Object.values(parts).flatMap((part: Part) => part.faults())
  return [...new Map(faults.map((fault) => [fault.text, fault])).values()]
}

/**
 * All that a consent reads from its start to its end, but the table's: it is read first. Asked before a person is sent to Intuit, and again before the code
 * is redeemed: what is noticed later has cost the code, or the owner's time. Throws `configuration_error`.
 */
export function requireConsent(config: Config, environment: Environment): void {
  requireParts([
    ...[config.authorization, config[environment], config.exchange, config.timing],
    ...[config.startLinks, config.realms, config.pages, config.tokenCache],
  ])
}

/** All that a refresh reads, but the table's: asked before a refresh token is used. Throws `configuration_error`. */
export function requireRefresh(config: Config, environment: Environment): void {
  requireParts([config[environment], config.exchange, config.timing, config.freshness, config.tokenCache])
}

/** All that a disconnect reads: asked before tokens are erased. Throws `configuration_error`. */
export function requireDisconnect(config: Config, environment: Environment): void {
  requireParts([config[environment], config.revocation, config.encryptionKeys, config.timing, config.tokenCache])
}
