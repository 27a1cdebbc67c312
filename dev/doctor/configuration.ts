import { findConfigurationFaults, listVariableNames, readConfig } from '../../src/config/config.ts'
import { isLoopback } from '../../src/config/formats.ts'
import type { Fault } from '../../src/config/part.ts'
import { type Env, findTextFault, readVariables } from '../../src/config/variables.ts'
import { isWeakApiKey, MIN_API_KEY_LENGTH } from '../../src/crypto/api-keys.ts'
import type { Variables } from '../environment.ts'
import { type Check, findings } from './check.ts'
import { pairCheck, redirectCheck } from './intuit-app.ts'
import { isPlaceholder } from './placeholders.ts'
import { checkSecurity } from './security.ts'

const NEW_SECRET = 'node -p "crypto.randomBytes(32).toString(\'base64url\')"'
const NEW_SEALING_KEY = "node -p \"'2026-01:' + crypto.randomBytes(32).toString('base64')\""

const isQuoted = (value: string) => /^(["']).*\1$/s.test(value)

/** What is wrong with a value whatever it is for. The Worker refuses the first kind, and takes the others as they are. */
const valueFault = (value: unknown): string | undefined => {
  if (typeof value === 'string' && isPlaceholder(value)) return 'is a placeholder'
  const fault = findTextFault(value)
  if (fault !== undefined) return fault
  return typeof value === 'string' && isQuoted(value) ? 'has quotes around it' : undefined
}

/** Only variables of ours are looked at: a shell holds many others. */
const valuesCheck = (env: Env): Check => {
  const { ok, fail } = findings('values')
  const variables = readVariables(env)
  const spoilt = listVariableNames(readConfig(env)).flatMap((name) => {
    const fault = valueFault(variables[name])
    return fault === undefined ? [] : [`${name} ${fault}`]
  })
  return spoilt.length === 0
    ? ok('none is a placeholder or has blanks or quotes around it')
    : fail(spoilt.join('; '), 'Set the bare value, as text.')
}

const faultsOf = (faults: Fault[], names: RegExp): string | undefined =>
  faults.flatMap(({ variable, text }) => (names.test(variable) ? [text] : [])).join('; ') || undefined

const apiKeyCheck = (variables: Variables, faults: Fault[]): Check => {
  const { ok, warn, fail } = findings('API key')
  const { API_KEY: key, API_KEYS: keys } = variables
  if (!key && !keys) return fail('neither API_KEY nor API_KEYS is set', `Set API_KEY to a new secret: ${NEW_SECRET}`)
  const fault = faultsOf(faults, /^API_KEYS?$/)
  if (fault) return fail(fault, 'The protected routes answer 500 until it is right.')
  if (key && isWeakApiKey(key)) {
    return warn('API_KEY is easy to guess', `Set it to at least ${MIN_API_KEY_LENGTH} random characters: ${NEW_SECRET}`)
  }
  return ok([key ? 'API_KEY' : '', keys ? 'API_KEYS' : ''].filter(Boolean).join(' and ').concat(' set'))
}

const SEALING_KEY = /^[\w.-]{1,64}:[A-Za-z0-9+/]{43}=$/

const sealingCheck = (variables: Variables, faults: Fault[]): Check => {
  const { ok, warn, fail } = findings('sealing keys')
  const text = variables['TOKEN_ENCRYPTION_KEYS']
  if (!text)
    return warn('TOKEN_ENCRYPTION_KEYS is not set', `Tokens are stored as they are. Make a key: ${NEW_SEALING_KEY}`)
  const entries = text.split(',').map((entry) => entry.trim())
  const malformed = entries.findIndex((entry) => !SEALING_KEY.test(entry))
  if (malformed >= 0) {
    return fail(
      `entry ${malformed + 1} of TOKEN_ENCRYPTION_KEYS is not kid:base64(32 bytes)`,
      `Make a key: ${NEW_SEALING_KEY}`,
    )
  }
  const fault = faultsOf(faults, /^TOKEN_ENCRYPTION_KEYS$/)
  if (fault && !/each kid once/.test(fault)) return fail(fault, `Make a key: ${NEW_SEALING_KEY}`)
  const kids = entries.map((entry) => entry.slice(0, entry.indexOf(':')))
  const twice = kids.find((kid, index) => kids.indexOf(kid) !== index)
  if (twice !== undefined)
    return fail(`TOKEN_ENCRYPTION_KEYS has the kid ${twice} twice`, 'Give each key a kid of its own.')
  return ok(`${kids[0]} seals; ${kids.length === 1 ? 'there is no older key' : `${kids.slice(1).join(', ')} open too`}`)
}

const credentialsCheck = (variables: Variables, faults: Fault[]): Check => {
  const { ok, warn, fail } = findings('table and credentials')
  const found = faultsOf(faults, /^(AWS|DYNAMODB)_/)
  if (found) return fail(found, "See docs/deploy.md, steps 2 and 3: the table and the Worker's user.")
  const { AWS_ACCESS_KEY_ID: id = '', AWS_SESSION_TOKEN: session, DYNAMODB_ENDPOINT: endpoint } = variables
  const { protocol, hostname } = new URL(endpoint || 'https://aws')
  if (protocol === 'http:' && !isLoopback(hostname)) {
    return fail('DYNAMODB_ENDPOINT is http on another machine', 'Tokens would travel in the clear: use https.')
  }
  if (id.startsWith('ASIA') && !session) {
    return fail(
      'AWS_ACCESS_KEY_ID is a temporary one and AWS_SESSION_TOKEN is not set',
      "Use the key of the Worker's own user.",
    )
  }
  if (session)
    return warn(
      'AWS_SESSION_TOKEN is set',
      "Temporary credentials expire within hours: use the key of the Worker's own user.",
    )
  return ok(`${variables['DYNAMODB_TABLE']} in ${variables['AWS_REGION']}`)
}

const CHECKED_ABOVE =
  /^(API_KEYS?|AWS_\w+|DYNAMODB_\w+|TOKEN_ENCRYPTION_KEYS|QUICKBOOKS_(REDIRECT_URI|(SANDBOX_)?CLIENT_(ID|SECRET)))$/

const settingsCheck = (faults: Fault[]): Check => {
  const { ok, fail } = findings('other settings')
  const left = faults.filter(({ variable }) => !CHECKED_ABOVE.test(variable)).map(({ text }) => text)
  return left.length === 0
    ? ok('as the Worker reads them')
    : fail(left.join('; '), 'Correct or remove it: docs/configuration.md.')
}

/** What can be told from the variables alone. `env` is as the Worker would find it, `variables` what of it is text. */
export const checkConfiguration = (env: Env, variables: Variables): Check[] => {
  const faults = findConfigurationFaults(readConfig(env))
  return [
    valuesCheck(env),
    apiKeyCheck(variables, faults),
    redirectCheck(variables, faultsOf(faults, /^QUICKBOOKS_REDIRECT_URI$/)),
    pairCheck(variables, 'production', faultsOf(faults, /^QUICKBOOKS_CLIENT_/)),
    pairCheck(variables, 'sandbox', faultsOf(faults, /^QUICKBOOKS_SANDBOX_CLIENT_/)),
    sealingCheck(variables, faults),
    settingsCheck(faults),
    ...checkSecurity(env),
    credentialsCheck(variables, faults),
  ]
}
