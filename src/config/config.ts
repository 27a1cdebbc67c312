import type { Environment } from '../broker/company.ts'
import { access } from './access.ts'
import { alerts } from './alerts.ts'
import { clientCredentials } from './client-pairs.ts'
import { authorization, pages, realms } from './consent.ts'
import { storage } from './dynamodb.ts'
import { exchange, production, revocation, sandbox } from './intuit.ts'
import { fleet } from './operations.ts'
import { createPart, type Fault, type Part, requireParts } from './part.ts'
import { readRegions } from './read-regions.ts'
import { startLinks } from './start-links.ts'
import { encryptionKeys, freshness, timing, tokenCache } from './tokens.ts'
import { type Env, readVariables } from './variables.ts'

/** The configuration, part by part. */
export type Config = ReturnType<typeof readConfig>
type Settings<Name extends keyof Config> = ReturnType<Config[Name]>
export type StorageSettings = Settings<'storage'>
export type ReadRegions = Settings<'readRegions'>
export type ClientCredentials = Settings<'production'>

/**
 * Reads an `env`. No part is made or parsed before a route asks for it: `/health` answers whatever is missing, a fault
 * in one part leaves the others in service, and the start of an isolate pays for what it needs. Bindings are read where
 * they are used.
 */
export function readConfig(env: Env) {
  const variables = readVariables(env)
  return {
    access: createPart(access, variables),
    storage: createPart(storage, variables),
    readRegions: createPart(readRegions, variables),
    authorization: createPart(authorization, variables),
    exchange: createPart(exchange, variables),
    revocation: createPart(revocation, variables),
    encryptionKeys: createPart(encryptionKeys, variables),
    pages: createPart(pages, variables),
    realms: createPart(realms, variables),
    startLinks: createPart(startLinks, variables),
    freshness: createPart(freshness, variables),
    tokenCache: createPart(tokenCache, variables),
    timing: createPart(timing, variables),
    fleet: createPart(fleet, variables),
    alerts: createPart(alerts, variables),
    clients: createPart(clientCredentials, variables),
    production: createPart(production, variables),
    sandbox: createPart(sandbox, variables),
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
