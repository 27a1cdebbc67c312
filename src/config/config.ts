import type { Environment } from '../broker/company.ts'
import { ACCESS } from './access.ts'
import { ALERTS } from './alerts.ts'
import { CLIENT_CREDENTIALS } from './client-credentials.ts'
import { AUTHORIZATION, COMPANY_PROOF, PAGES, REALMS } from './consent.ts'
import { STORAGE } from './dynamodb.ts'
import { EXCHANGE, PRODUCTION, REVOCATION, SANDBOX } from './intuit.ts'
import { FLEET } from './operations.ts'
import { createPart, type Fault, type Part, requireSettings } from './part.ts'
import { READ_REGIONS } from './read-regions.ts'
import { START_LINKS } from './start-links.ts'
import { ENCRYPTED_TOKENS, ENCRYPTION_KEYS, FRESHNESS, TIMING, TOKEN_CACHE } from './tokens.ts'
import { type Env, readVariables } from './variables.ts'

/** The parsed environment. Each member is one part, parsed at its first use. */
export type Config = ReturnType<typeof readConfig>
type Settings<Name extends keyof Config> = ReturnType<Config[Name]>
export type StorageSettings = Settings<'storage'>
export type ReadRegions = Settings<'readRegions'>
export type ClientCredentials = Settings<'production'>

/**
 * Reads the variables of an `env`. A part is parsed when a route needs it, so an error in one part does not affect the
 * other routes, and `/health` always responds. Bindings are read where they are used.
 */
export function readConfig(env: Env) {
  const variables = readVariables(env)
  return {
    access: createPart(ACCESS, variables),
    storage: createPart(STORAGE, variables),
    readRegions: createPart(READ_REGIONS, variables),
    authorization: createPart(AUTHORIZATION, variables),
    companyProof: createPart(COMPANY_PROOF, variables),
    exchange: createPart(EXCHANGE, variables),
    revocation: createPart(REVOCATION, variables),
    encryptionKeys: createPart(ENCRYPTION_KEYS, variables),
    encryptedTokens: createPart(ENCRYPTED_TOKENS, variables),
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

/** The names of all variables that this service reads. */
export function listVariableNames(config: Config): string[] {
  return [...new Set(Object.values(config).flatMap((part: Part) => part.names()))]
}

/**
 * All faults of the configuration, each once. Skips `production` and `sandbox`: `clients` checks both client credentials,
 * and one is enough.
 */
export function findConfigurationFaults({ production: _, sandbox: __, ...parts }: Config): Fault[] {
  const faults = Object.values(parts).flatMap((part: Part) => part.faults())
  return [...new Map(faults.map((fault) => [fault.text, fault])).values()]
}

/**
 * Parses everything that a consent needs, except the table settings, which are read earlier. Call it before you redirect a
 * person to Intuit, and again before you exchange the code: an error that is found later wastes the code. Throws
 * `configuration_error`.
 */
export function requireConsent(config: Config, environment: Environment): void {
  requireSettings([
    ...[config.authorization, config[environment], config.exchange, config.timing],
    ...[config.companyProof, config.startLinks, config.realms, config.pages, config.tokenCache, config.encryptedTokens],
  ])
}

/**
 * Parses everything that a refresh needs, except the table settings. Call it before you use a refresh token. Throws
 * `configuration_error`.
 */
export function requireRefresh(config: Config, environment: Environment): void {
  requireSettings([
    config[environment],
    config.exchange,
    config.timing,
    config.freshness,
    config.tokenCache,
    config.encryptedTokens,
  ])
}

/** Parses everything that a disconnect needs. Call it before you erase tokens. Throws `configuration_error`. */
export function requireDisconnect(config: Config, environment: Environment): void {
  requireSettings([
    ...[config[environment], config.revocation, config.encryptionKeys, config.encryptedTokens, config.timing],
    config.tokenCache,
  ])
}
