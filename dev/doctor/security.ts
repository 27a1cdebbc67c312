import { type Config, readConfig } from '../../src/config/config.ts'
import type { Env } from '../../src/config/variables.ts'
import { type Check, createResults } from './check.ts'

/** Skips a check whose settings have a fault: another check reports it. */
const readOrSkip = (check: string, read: () => Check): Check => {
  try {
    return read()
  } catch {
    return createResults(check).skip('a setting has a fault')
  }
}

const checkStartLinks = ({ startLinks }: Config): Check => {
  const { ok, warn } = createResults('start links')
  return startLinks().mode === 'signed'
    ? ok('signed')
    : warn(
        'START_LINKS is not signed',
        'Anyone who guesses a company key can connect their own company under it. Set START_LINKS=signed and START_LINK_KEYS.',
      )
}

const checkBrowserBinding = ({ startLinks }: Config): Check => {
  const { ok, warn } = createResults('browser binding')
  return startLinks().bindsBrowser
    ? ok('a consent ends in the browser that started it')
    : warn(
        'BIND_BROWSER is not true',
        "A planted callback can connect an attacker's company in your customer's browser. Set BIND_BROWSER=true.",
      )
}

const checkQueryKeys = ({ access }: Config): Check => {
  const { ok, warn } = createResults('keys in queries')
  return access().queryKeysAllowed
    ? warn(
        'API_KEY_IN_QUERY is not false',
        'API keys in query strings end up in browser histories and in logs of other services. Set API_KEY_IN_QUERY=false.',
      )
    : ok('not accepted')
}

const checkCompanyProof = ({ authorization, companyProof }: Config): Check => {
  const { ok, warn } = createResults('company proof')
  if (!authorization().asksForIdToken) {
    return warn(
      'QUICKBOOKS_SCOPES does not have openid',
      "Nothing proves which company gave consent: anyone who edits the callback URL can store another company's realm id. Add openid.",
    )
  }
  return ok(
    companyProof().isRequired ? 'required' : 'asked for. When the log shows realm_proven, set REALM_PROOF=required',
  )
}

const checkPlainTokens = ({ encryptionKeys, encryptedTokens }: Config): Check => {
  const { ok, warn } = createResults('plain tokens')
  if (encryptedTokens().isRequired) return ok('rejected')
  return encryptionKeys().length > 0
    ? ok('accepted. When npm run keys:reseal says so, set REQUIRE_SEALED=true')
    : warn(
        'plain tokens are accepted',
        "Anyone who can write to the table can plant another company's tokens. Set TOKEN_ENCRYPTION_KEYS, run npm run keys:reseal, then set REQUIRE_SEALED=true.",
      )
}

/** Warns of each setting that is weaker than what npm run setup writes, with its consequence. */
export const checkSecurity = (env: Env): Check[] => {
  const config = readConfig(env)
  return [
    readOrSkip('start links', () => checkStartLinks(config)),
    readOrSkip('browser binding', () => checkBrowserBinding(config)),
    readOrSkip('keys in queries', () => checkQueryKeys(config)),
    readOrSkip('company proof', () => checkCompanyProof(config)),
    readOrSkip('plain tokens', () => checkPlainTokens(config)),
  ]
}
