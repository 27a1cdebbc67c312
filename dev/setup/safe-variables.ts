import { randomBytes } from 'node:crypto'
import { findConfigurationFaults, readConfig } from '../../src/config/config.ts'

/** Variables by name, in the order of the file. */
export type ProductionVariables = Record<string, string>

const createSecret = () => randomBytes(32).toString('base64url')
const createKeyList = (keyId: string) => `${keyId}:${randomBytes(32).toString('base64')}`

/** Adds new keys and the safe choices to the operator's answers. `now` names the keys. */
export const addSafeVariables = (answers: ProductionVariables, now: Date): ProductionVariables => {
  const keyId = now.toISOString().slice(0, 7)
  return {
    API_KEY: createSecret(),
    ...answers,
    DYNAMODB_FLEET_INDEX: 'fleet',
    QUICKBOOKS_SCOPES: 'com.intuit.quickbooks.accounting openid',
    TOKEN_ENCRYPTION_KEYS: createKeyList(keyId),
    START_LINKS: 'signed',
    START_LINK_KEYS: createKeyList(keyId),
    API_KEY_SIGNING_KEYS: createKeyList(keyId),
    BIND_BROWSER: 'true',
    API_KEY_IN_QUERY: 'false',
  }
}

/** Lists the faults for which the Worker would reject the variables. No text shows a value. */
export const findFaults = (variables: ProductionVariables): string[] => {
  const config = readConfig(variables)
  const pairs = (['QUICKBOOKS', 'QUICKBOOKS_SANDBOX'] as const).flatMap((prefix) => {
    const [id, secret] = [variables[`${prefix}_CLIENT_ID`], variables[`${prefix}_CLIENT_SECRET`]]
    return Boolean(id) === Boolean(secret) ? [] : [`${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET belong together`]
  })
  const hasClient = Boolean(variables['QUICKBOOKS_CLIENT_ID'] ?? variables['QUICKBOOKS_SANDBOX_CLIENT_ID'])
  return [
    ...findConfigurationFaults(config).map(({ text }) => text),
    ...pairs,
    ...(hasClient ? [] : ['give the production keys of the app, its development keys, or both']),
  ].filter((text, index, all) => all.indexOf(text) === index)
}
