/**
 * What a guide writes where a value of one's own belongs, also within a value: `https://<your host>/…`, `2026-01:…`. No
 * value that the service takes contains any of these.
 */
const ANYWHERE = [
  // No value is anything but visible ASCII, or has three dots.
  /…|\.{3}/,
  /<[^<>]*>/,
  /\bYOUR[-_ ][A-Z]/,
  // Reserved for documentation (RFC 2606).
  /\bexample\.(com|net|org)\b/i,
  /base64\(/,
]

/** A value that is nothing but a word for a value. */
const WHOLE = [
  /^(change[-_ ]?(me|it|this)|replace[-_ ]?(me|it|this|with.*)|to[-_ ]?do|tbd|fix[-_ ]?me|placeholder|dummy)$/i,
  /^(insert[-_ ].*|put[-_ ].*[-_ ]here|my[-_ ](api[-_ ])?(key|secret|id|token)|your[-_ ].*)$/i,
  /^(x{3,}|\*{3,}|_{3,}|-{3,}|\?+)$/i,
  /^(REGION|ACCOUNT|TABLE|NAME|KEYS?|SECRET|TOKEN|VALUE|URL|HOST|YOUR\w+)$/,
]

/** Whether somebody forgot to put a value of their own in its place. */
export const isPlaceholder = (value: string): boolean => {
  const text = value.trim().replace(/^(["'])(.*)\1$/s, '$2')
  return [...WHOLE, ...ANYWHERE].some((pattern) => pattern.test(text))
}
