import * as v from 'valibot'
import { alerts } from './config/alerts.ts'
import { callers } from './config/callers.ts'
import { clientPairs } from './config/client-pairs.ts'
import { authorization, pages, realms } from './config/consent.ts'
import { fleet } from './config/fleet.ts'
import { exchange, production, revocation, sandbox } from './config/intuit.ts'
import { readRegions } from './config/read-regions.ts'
import { startLinks } from './config/start-links.ts'
import { storage } from './config/storage.ts'
import { freshness, sealing, timing } from './config/tokens.ts'
import { once } from './once.ts'
import { Problem } from './problem.ts'

/** What `config` reads: anything an `env` may hold. Only strings count; bindings are read where they are put to use. */
type Env = Record<string, unknown>

/** The configuration, part by part. Each part throws `configuration_error`, naming all its faulty variables and no value. */
export type Config = ReturnType<typeof readConfig>
type Settings<Part extends keyof Config> = ReturnType<Config[Part]>
export type StorageSettings = Settings<'storage'>
export type ReadRegions = Settings<'readRegions'>
export type ClientPair = Settings<'production'>

/** Where a fault is. A member that no schema knows is not named: it may be anything that was pasted. */
function placeOf(issue: v.BaseIssue<unknown>) {
  const path = (issue.path ?? []).map(({ key }) => String(key))
  return path.slice(0, issue.expected === 'never' ? -1 : undefined).join('.') || 'the environment'
}

function faultText(issue: v.BaseIssue<unknown>) {
  const name = placeOf(issue)
  return issue.input === undefined ? `${name} is missing` : `${name} ${issue.message}`
}

function parsed<Schema extends v.GenericSchema>(schema: Schema, variables: Env): v.InferOutput<Schema> {
  const result = v.safeParse(schema, variables)
  if (result.success) return result.output
  const faults = result.issues.map(faultText).join('; ')
  throw new Problem('configuration_error', `The operator has to configure this deployment: ${faults}.`)
}

/**
 * Reads an `env`. No part is made or parsed before a route asks for it: `/health` answers whatever is missing, a fault
 * in one part leaves the others in service, and the start of an isolate pays for what it needs.
 */
export function readConfig(env: Env) {
  // An empty variable is an unset one, as `wrangler dev --var NAME:` leaves it.
  const variables = Object.fromEntries(
    Object.entries(env).filter(([, value]) => typeof value === 'string' && value !== ''),
  )
  const part = <Schema extends v.GenericSchema>(schema: () => Schema) => once(() => parsed(schema(), variables))
  return {
    callers: part(callers),
    storage: part(storage),
    readRegions: part(readRegions),
    authorization: part(authorization),
    exchange: part(exchange),
    revocation: part(revocation),
    sealing: part(sealing),
    pages: part(pages),
    realms: part(realms),
    startLinks: part(startLinks),
    freshness: part(freshness),
    timing: part(timing),
    fleet: part(fleet),
    alerts: part(alerts),
    clients: part(clientPairs),
    production: part(production),
    sandbox: part(sandbox),
  }
}
