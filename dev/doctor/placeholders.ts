/**
 * Placeholders of guides, also within a value: `https://<your host>/…`, `2026-01:…`. No valid value contains any of these.
 */
const ANYWHERE = [
  // Valid values are visible ASCII and never have three dots.
  /…|\.{3}/,
  /<[^<>]*>/,
  /\bYOUR[-_ ][A-Z]/,
  // Reserved for documentation (RFC 2606).
  /\bexample\.(com|net|org)\b/i,
  /base64\(/,
]

/** Values that consist of a placeholder word. */
const WHOLE = [
  /^(change[-_ ]?(me|it|this)|replace[-_ ]?(me|it|this|with.*)|to[-_ ]?do|tbd|fix[-_ ]?me|placeholder|dummy)$/i,
  /^(insert[-_ ].*|put[-_ ].*[-_ ]here|my[-_ ](api[-_ ])?(key|secret|id|token)|your[-_ ].*)$/i,
  /^(x{3,}|\*{3,}|_{3,}|-{3,}|\?+)$/i,
  /^(REGION|ACCOUNT|TABLE|NAME|KEYS?|SECRET|TOKEN|VALUE|URL|HOST|YOUR\w+)$/,
]

/** Whether a value is, or contains, a placeholder. */
export const isPlaceholder = (value: string): boolean => {
  const text = value.trim().replace(/^(["'])(.*)\1$/s, '$2')
  return [...WHOLE, ...ANYWHERE].some((pattern) => pattern.test(text))
}
