import { findConfigurationFaults, listVariableNames, readConfig } from '../../src/config/config.ts'
import type { Fault } from '../../src/config/part.ts'
import { type Env, findTextFault, readVariables } from '../../src/config/variables.ts'
import { isWeakApiKey, MIN_API_KEY_LENGTH } from '../../src/crypto/api-keys.ts'
import { isLoopback } from '../../src/lib/loopback.ts'
import type { Variables } from '../environment.ts'
import { type Check, createResults } from './check.ts'
import { checkClientCredentials, checkRedirectUri } from './intuit-app.ts'
import { isPlaceholder } from './placeholders.ts'
import { checkSecurity } from './security.ts'

const NEW_SECRET = 'node -p "crypto.randomBytes(32).toString(\'base64url\')"'
const NEW_ENCRYPTION_KEY = "node -p \"'2026-01:' + crypto.randomBytes(32).toString('base64')\""

const isQuoted = (value: string) => /^(["']).*\1$/s.test(value)

/** Finds faults that any variable can have. The Worker accepts placeholders and quotes, but they are never intended. */
const findValueFault = (value: unknown): string | undefined => {
  if (typeof value === 'string' && isPlaceholder(value)) return 'is a placeholder'
  const fault = findTextFault(value)
  if (fault !== undefined) return fault
  return typeof value === 'string' && isQuoted(value) ? 'has quotes around it' : undefined
}

/** Checks the broker's variables only, because a shell has many others. */
const checkValues = (env: Env): Check => {
  const { ok, fail } = createResults('values')
  const variables = readVariables(env)
  const faulty = listVariableNames(readConfig(env)).flatMap((name) => {
    const fault = findValueFault(variables[name])
    return fault === undefined ? [] : [`${name} ${fault}`]
  })
  return faulty.length === 0
    ? ok('no placeholders, blanks or quotes')
    : fail(faulty.join('; '), 'Set the bare value, as text.')
}

const formatFaults = (faults: Fault[], names: RegExp): string | undefined =>
  faults.flatMap(({ variable, text }) => (names.test(variable) ? [text] : [])).join('; ') || undefined

const checkApiKey = (variables: Variables, faults: Fault[]): Check => {
  const { ok, warn, fail } = createResults('API key')
  const { API_KEY: key, API_KEYS: keys } = variables
  if (!key && !keys) return fail('neither API_KEY nor API_KEYS is set', `Set API_KEY to a new secret: ${NEW_SECRET}`)
  const fault = formatFaults(faults, /^API_KEYS?$/)
  if (fault) return fail(fault, 'The protected routes respond with 500 until you fix it.')
  if (key && isWeakApiKey(key)) {
    return warn('API_KEY is easy to guess', `Set it to at least ${MIN_API_KEY_LENGTH} random characters: ${NEW_SECRET}`)
  }
  return ok([key ? 'API_KEY' : '', keys ? 'API_KEYS' : ''].filter(Boolean).join(' and ').concat(' set'))
}

const ENCRYPTION_KEY = /^[\w.-]{1,64}:[A-Za-z0-9+/]{43}=$/

const checkEncryptionKeys = (variables: Variables, faults: Fault[]): Check => {
  const { ok, warn, fail } = createResults('encryption keys')
  const text = variables['TOKEN_ENCRYPTION_KEYS']
  if (!text)
    return warn(
      'TOKEN_ENCRYPTION_KEYS is not set',
      `Tokens are stored in plain text. Create a key: ${NEW_ENCRYPTION_KEY}`,
    )
  const entries = text.split(',').map((entry) => entry.trim())
  const malformed = entries.findIndex((entry) => !ENCRYPTION_KEY.test(entry))
  if (malformed >= 0) {
    return fail(
      `entry ${malformed + 1} of TOKEN_ENCRYPTION_KEYS is not kid:base64(32 bytes)`,
      `Create a key: ${NEW_ENCRYPTION_KEY}`,
    )
  }
  const fault = formatFaults(faults, /^TOKEN_ENCRYPTION_KEYS$/)
  if (fault && !/each kid once/.test(fault)) return fail(fault, `Create a key: ${NEW_ENCRYPTION_KEY}`)
  const kids = entries.map((entry) => entry.slice(0, entry.indexOf(':')))
  const twice = kids.find((kid, index) => kids.indexOf(kid) !== index)
  if (twice !== undefined) return fail(`TOKEN_ENCRYPTION_KEYS has the kid ${twice} twice`, 'Give each key its own kid.')
  return ok(`${kids[0]} encrypts; ${kids.length === 1 ? 'no older keys' : `older keys: ${kids.slice(1).join(', ')}`}`)
}

const checkCredentials = (variables: Variables, faults: Fault[]): Check => {
  const { ok, warn, fail } = createResults('table and credentials')
  const found = formatFaults(faults, /^(AWS|DYNAMODB)_/)
  if (found) return fail(found, "See docs/deploy.md, steps 2 and 3: the table and the Worker's user.")
  const { AWS_ACCESS_KEY_ID: id = '', AWS_SESSION_TOKEN: session, DYNAMODB_ENDPOINT: endpoint } = variables
  const { protocol, hostname } = new URL(endpoint || 'https://aws')
  if (protocol === 'http:' && !isLoopback(hostname)) {
    return fail('DYNAMODB_ENDPOINT is http on another machine', 'Tokens would be sent unencrypted: use https.')
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

const checkOtherSettings = (faults: Fault[]): Check => {
  const { ok, fail } = createResults('other settings')
  const left = faults.filter(({ variable }) => !CHECKED_ABOVE.test(variable)).map(({ text }) => text)
  return left.length === 0 ? ok('valid') : fail(left.join('; '), 'Correct or remove it: docs/configuration.md.')
}

/** Checks the variables without a request. `env` is the Worker's environment, `variables` its text values. */
export const checkConfiguration = (env: Env, variables: Variables): Check[] => {
  const faults = findConfigurationFaults(readConfig(env))
  return [
    checkValues(env),
    checkApiKey(variables, faults),
    checkRedirectUri(variables, formatFaults(faults, /^QUICKBOOKS_REDIRECT_URI$/)),
    checkClientCredentials(variables, 'production', formatFaults(faults, /^QUICKBOOKS_CLIENT_/)),
    checkClientCredentials(variables, 'sandbox', formatFaults(faults, /^QUICKBOOKS_SANDBOX_CLIENT_/)),
    checkEncryptionKeys(variables, faults),
    checkOtherSettings(faults),
    ...checkSecurity(env),
    checkCredentials(variables, faults),
  ]
}
