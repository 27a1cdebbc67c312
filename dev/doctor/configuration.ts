import type { Variables } from '../environment.ts'
import { type Check, findings } from './check.ts'
import { configurationFaults, type Fault } from './faults.ts'

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

const isLoopback = (hostname: string) => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)

const redirectCheck = (variables: Variables): Check => {
  const { ok, warn, fail } = findings('redirect URI')
  const text = variables['QUICKBOOKS_REDIRECT_URI']
  const register = "It must be the same, to the character, as in the app's settings at Intuit."
  if (!text) return fail('QUICKBOOKS_REDIRECT_URI is not set', 'Set it to https://<your host>/oauth/callback.')
  if (!URL.canParse(text)) return fail('QUICKBOOKS_REDIRECT_URI is no URL', 'Write it with https:// and the host.')
  const url = new URL(text)
  if (url.search || url.hash || url.username) {
    return fail('QUICKBOOKS_REDIRECT_URI has a query, fragment or user', `Leave it out. ${register}`)
  }
  if (url.pathname !== '/oauth/callback') {
    return fail(`QUICKBOOKS_REDIRECT_URI leads to ${url.pathname}`, `The path is /oauth/callback. ${register}`)
  }
  if (url.protocol === 'https:') return ok(`${text}. ${register}`)
  if (url.protocol === 'http:' && isLoopback(url.hostname)) {
    return warn(`${text} is of this machine`, "Intuit takes it with an app's development keys only.")
  }
  return fail('QUICKBOOKS_REDIRECT_URI is not https', 'Intuit and this service take https only.')
}

type Half = 'both' | 'one' | 'none'
const half = (id: string | undefined, secret: string | undefined): Half => {
  if (id && secret) return 'both'
  return id || secret ? 'one' : 'none'
}

const pairCheck = (variables: Variables, world: 'production' | 'sandbox'): Check => {
  const { ok, warn, fail } = findings(`${world} keys`)
  const prefix = world === 'sandbox' ? 'QUICKBOOKS_SANDBOX_' : 'QUICKBOOKS_'
  const [id, secret] = [`${prefix}CLIENT_ID`, `${prefix}CLIENT_SECRET`] as const
  const other = world === 'sandbox' ? 'QUICKBOOKS_' : 'QUICKBOOKS_SANDBOX_'
  const others = half(variables[`${other}CLIENT_ID`], variables[`${other}CLIENT_SECRET`])
  const missing = [id, secret].filter((name) => !variables[name]).join(' and ')
  const copy = `Copy it from the app's ${world === 'sandbox' ? 'development' : 'production'} keys at Intuit.`
  switch (half(variables[id], variables[secret])) {
    case 'one':
      return fail(`${missing} is missing`, copy)
    case 'none':
      return others === 'none'
        ? fail(`${missing} are missing, as are the other pair's`, `At least one pair is needed. ${copy}`)
        : warn(`${missing} are missing`, `No ${world} connection can be made. ${copy}`)
    case 'both':
      return variables[id] === variables[`${other}CLIENT_ID`]
        ? warn(
            'production and sandbox have one client id',
            "An app's production and development keys differ at Intuit.",
          )
        : ok(`${id} and ${secret} set`)
  }
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
