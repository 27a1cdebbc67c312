/** What an `env` may hold: variables, secrets and bindings. */
export type Env = Record<string, unknown>

/**
 * A variable as its schema reads it. `[vars]` of `wrangler.toml` may hold booleans and numbers: each counts as its text.
 * An empty variable is an unset one, as `wrangler dev --var NAME:` leaves it. Anything else is for `textFault` to judge.
 */
function toText(value: unknown): unknown {
  if (value === '') return undefined
  if (typeof value === 'boolean' || (typeof value === 'number' && isExact(value))) return String(value)
  return value
}

/** A whole number beyond 2^53 was rounded when it was parsed: its text is not what the operator wrote. */
function isExact(value: number) {
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER
}

export function readVariables(env: Env): Env {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, toText(value)]))
}

/** The variables that are text, or count as their text. */
export function textVariables(env: Env): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(readVariables(env)).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
}

/** Whether a variable is set to anything, be it malformed. */
export function isSet(env: Env, name: string): boolean {
  return toText(env[name]) !== undefined
}

/**
 * What no variable of ours may be, whatever it is for: every one is a credential, a URL, a name, a number or a list of
 * them, so nothing but printable ASCII has a use. Blanks and line ends around a value come with copying.
 */
export function textFault(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number') return 'is a number with too many digits: write it in quotes'
  if (typeof value !== 'string') return 'must be text, a number, true or false'
  if (value.trim() !== value) return 'has white space or a line end around it'
  if (/\p{Cc}/u.test(value)) return 'has a control character in it'
  return /^[\x20-\x7E]*$/.test(value) ? undefined : 'has a character in it that is not ASCII'
}
