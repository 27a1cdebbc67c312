import type { Variables } from '../environment.ts'
import { type Check, findings } from './check.ts'
import { configurationFaults, type Fault } from './faults.ts'
import { isLoopback, pairCheck, redirectCheck } from './intuit-app.ts'

const LEAST_KEY_LENGTH = 32
const NEW_SECRET = 'node -p "crypto.randomBytes(32).toString(\'base64url\')"'
const NEW_SEALING_KEY = "node -p \"'2026-01:' + crypto.randomBytes(32).toString('base64')\""

const PLACEHOLDER = /^(change.?me|todo|xxx+|your[-_ ].*|<.*>|\.\.\.)$/i
const isSpoilt = (value: string) => value !== value.trim() || /^(["']).*\1$/.test(value) || PLACEHOLDER.test(value)

/** Only variables of ours are looked at: a shell holds many others. */
const OURS = /^(API_KEYS?|AWS_|DYNAMODB_|QUICKBOOKS_|INTUIT_|TOKEN_|OAUTH_|START_LINK|ALERT_|SUCCESS_)/

const valuesCheck = (variables: Variables): Check => {
  const { ok, fail } = findings('values')
  const spoilt = Object.entries(variables).flatMap(([name, value = '']) =>
    OURS.test(name) && isSpoilt(value) ? [name] : [],
  )
  return spoilt.length === 0
    ? ok('none is a placeholder or has blanks or quotes around it')
    : fail(`${spoilt.join(', ')}: a placeholder, or blanks or quotes around the value`, 'Set the bare value.')
}

const apiKeyCheck = (variables: Variables, faults: Fault[]): Check => {
  const { ok, warn, fail } = findings('API key')
  const { API_KEY: key, API_KEYS: keys } = variables
  if (!key && !keys) return fail('neither API_KEY nor API_KEYS is set', `Set API_KEY to a new secret: ${NEW_SECRET}`)
  const fault = faults.find(({ variable }) => /^API_KEYS?$/.test(variable))
  if (fault) return fail(fault.text, 'The protected routes answer 500 until it is right.')
  if (key && key.length < LEAST_KEY_LENGTH) {
    return warn(`API_KEY has ${key.length} characters`, `Make a longer one: ${NEW_SECRET}`)
  }
  return ok([key ? 'API_KEY' : '', keys ? 'API_KEYS' : ''].filter(Boolean).join(' and ').concat(' set'))
}

const SEALING_KEY = /^[\w.-]{1,64}:[A-Za-z0-9+/]{43}=$/

const sealingCheck = (variables: Variables): Check => {
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
  const kids = entries.map((entry) => entry.slice(0, entry.indexOf(':')))
  const twice = kids.find((kid, index) => kids.indexOf(kid) !== index)
  if (twice !== undefined)
    return fail(`TOKEN_ENCRYPTION_KEYS has the kid ${twice} twice`, 'Give each key a kid of its own.')
  return ok(`${kids[0]} seals; ${kids.length === 1 ? 'there is no older key' : `${kids.slice(1).join(', ')} open too`}`)
}

const credentialsCheck = (variables: Variables, faults: Fault[]): Check => {
  const { ok, warn, fail } = findings('table and credentials')
  const found = faults.filter(({ variable }) => /^(AWS|DYNAMODB)_/.test(variable)).map(({ text }) => text)
  if (found.length > 0)
    return fail(found.join('; '), "See docs/deploy.md, steps 2 and 3: the table and the Worker's user.")
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
    : fail(left.join('; '), 'Correct or remove it: README, Configuration.')
}

/** What can be told from the variables alone. */
export const checkConfiguration = (variables: Variables): Check[] => {
  const faults = configurationFaults(variables)
  return [
    valuesCheck(variables),
    apiKeyCheck(variables, faults),
    redirectCheck(variables),
    pairCheck(variables, 'production'),
    pairCheck(variables, 'sandbox'),
    sealingCheck(variables),
    settingsCheck(faults),
    credentialsCheck(variables, faults),
  ]
}
