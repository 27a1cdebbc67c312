import type { Environment } from '../company.ts'
import { invalidState } from './errors.ts'

/**
 * A nonce begins with the environment of its consent. So the callback can look up the realm in parallel with the read of
 * the state.
 */
const ENVIRONMENT_MARKS: Record<Environment, string> = { production: 'p', sandbox: 's' }

/** The nonce of a state: the mark of the environment, then `random`. */
export function createStateNonce(environment: Environment, random: string): string {
  return ENVIRONMENT_MARKS[environment] + random
}

/** The `state` parameter that Intuit sends back: `company_key:nonce`. */
export function formatState(companyKey: string, nonce: string): string {
  return `${companyKey}:${nonce}`
}

/**
 * Parses the `state` parameter. Anybody can write the environment into it, so it is a hint until the stored state is
 * read. Throws `invalid_state` for another format, so that it costs no request to the table.
 */
export function parseState(state: string): { companyKey: string; nonce: string; environmentHint: Environment } {
  const [, companyKey, nonce] = /^([\w-]{1,64}):([\w-]{16,128})$/.exec(state) ?? []
  if (!companyKey || !nonce) throw invalidState()
  return { companyKey, nonce, environmentHint: nonce.startsWith(ENVIRONMENT_MARKS.sandbox) ? 'sandbox' : 'production' }
}
