/** What an `env` may hold: variables, secrets and bindings. */
export type Env = Record<string, unknown>

/**
 * Converts a variable to text. `[vars]` in `wrangler.toml` may contain booleans and numbers. An empty variable counts as
 * unset, as `wrangler dev --var NAME:` leaves it. Other values stay as they are: `findTextFault` rejects them.
 */
function toText(value: unknown): unknown {
  if (value === '') return undefined
  if (typeof value === 'boolean' || (typeof value === 'number' && isExact(value))) return String(value)
  return value
}

/** A number beyond 2^53 was rounded when it was parsed, so its text is not what the operator wrote. */
function isExact(value: number) {
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER
}

/** The variables of an `env`, converted to text. */
export function readVariables(env: Env): Env {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, toText(value)]))
}

/** The variables of an `env` that are text, or can be converted to text. */
export function readTextVariables(env: Env): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(readVariables(env)).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
}

/** Whether a variable is set, even to a malformed value. */
export function isSet(env: Env, name: string): boolean {
  return toText(env[name]) !== undefined
}

/**
 * Finds an error that applies to every variable. Credentials, URLs, names and numbers are printable ASCII. Surrounding
 * spaces and line ends are copied by mistake. `undefined`: no error. The message does not quote the value.
 */
export function findTextFault(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number') return 'is a number with too many digits: write it in quotes'
  if (typeof value !== 'string') return 'must be text, a number, true or false'
  if (value.trim() !== value) return 'has white space or a line end around it'
  if (/\p{Cc}/u.test(value)) return 'has a control character in it'
  return /^[\x20-\x7E]*$/.test(value) ? undefined : 'has a character in it that is not ASCII'
}
