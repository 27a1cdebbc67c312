import { Problem } from '../problem.ts'

/** The environment at Intuit, and so the client credentials, of a connection. */
export type Environment = 'production' | 'sandbox'

export const COMPANY_KEY = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
export const MAX_NAME_LENGTH = 200

/** Whether a text has the format of a company key. */
export function isCompanyKey(text: string): boolean {
  return COMPANY_KEY.test(text)
}

/** Parses the company key of a path. Throws `invalid_company_key`. */
export function parseCompanyKey(text: string): string {
  if (isCompanyKey(text)) return text
  throw new Problem(
    'invalid_company_key',
    'A company key has 1 to 64 letters, digits, hyphens or underscores and begins with a letter or digit.',
  )
}

/**
 * Whether a text has control characters, lone surrogates, or U+FFFD. The URL parser replaces bytes that are not UTF-8
 * by U+FFFD.
 */
function isUnprintable(text: string) {
  return /[\p{Cc}\p{Cs}\uFFFD]/u.test(text)
}

/**
 * Removes characters that change how the text around them looks and are not seen themselves: the bidirectional controls
 * (Unicode Standard Annex 9) and zero-width characters. Joiners stay, because names and emoji use them.
 */
export function removeInvisible(text: string): string {
  return text.replaceAll(/[\p{Bidi_Control}\u200B\u2060-\u2064\uFEFF]/gu, '')
}

/**
 * Parses a company name: without invisible characters, trimmed. A blank name counts as absent. Throws
 * `invalid_company_name`.
 */
export function parseCompanyName(text: string | undefined): string | undefined {
  const name = text === undefined ? undefined : removeInvisible(text).trim()
  if (!text || !name) return undefined
  if ([...name].length <= MAX_NAME_LENGTH && !isUnprintable(text)) return name
  throw new Problem(
    'invalid_company_name',
    `A company name has at most ${MAX_NAME_LENGTH} characters, UTF-8, and no control characters.`,
  )
}

/**
 * The environment of a connection: `sandbox` if the key or the name contains it, in any case (API reference, "Sandbox
 * credential routing").
 */
export function environmentFor(companyKey: string, companyName: string): Environment {
  return /sandbox/i.test(companyKey) || /sandbox/i.test(companyName) ? 'sandbox' : 'production'
}
