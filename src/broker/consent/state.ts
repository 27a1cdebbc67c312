import type { Environment } from '../company.ts'
import { invalidState } from './errors.ts'

/** A nonce begins with the environment of its consent, so that the callback can look for the realm's holder before it has read the state. */
const MARKS: Record<Environment, string> = { production: 'p', sandbox: 's' }

export function markedNonce(environment: Environment, nonce: string): string {
  return MARKS[environment] + nonce
}

/** What travels through Intuit: `company_key:nonce`. */
export function formatState(companyKey: string, nonce: string): string {
  return `${companyKey}:${nonce}`
}

/** A state taken apart; the environment is a guess until its record was read. Throws `invalid_state` for what is not even of that form: it is not worth a question to the table. */
export function parseState(state: string): { companyKey: string; nonce: string; guess: Environment } {
  const [, companyKey, nonce] = /^([\w-]{1,64}):([\w-]{16,128})$/.exec(state) ?? []
  if (!companyKey || !nonce) throw invalidState()
  return { companyKey, nonce, guess: nonce.startsWith(MARKS.sandbox) ? 'sandbox' : 'production' }
}
