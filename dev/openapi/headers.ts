interface Header {
  description: string
  /** Set if every response that documents the header has it. */
  required?: true
  schema: { type: 'string'; pattern?: string }
  example: string
}

/** The documented response headers, as `components.headers`. */
export const HEADERS = {
  'X-Request-Id': {
    description: 'The id of this request in the operator’s log.',
    required: true,
    schema: { type: 'string', pattern: '^[0-9a-f-]{36}$' },
    example: '6f2c1c9e-8a5d-4a0e-9b43-0d4d0f6f7c55',
  },
  'Cache-Control': {
    description:
      '`no-store` on every response. Token responses add `no-transform`, because compression would weaken the `ETag`.',
    required: true,
    schema: { type: 'string', pattern: '^no-store(, no-transform)?$' },
    example: 'no-store',
  },
  ETag: {
    description: 'The generation of the token, for `If-Match`. It increases by one with every stored token pair.',
    required: true,
    schema: { type: 'string', pattern: '^"[0-9]+"$' },
    example: '"7"',
  },
  'Server-Timing': {
    description:
      'Where the token came from (the cache, a replica of the table, the table, or Intuit) and how long that took, in ms.',
    required: true,
    schema: { type: 'string', pattern: '^(memory|replica|table|intuit);dur=[0-9]+$' },
    example: 'table;dur=12',
  },
  'Retry-After': {
    description: 'Wait this number of seconds before you retry.',
    schema: { type: 'string', pattern: '^[0-9]+$' },
    example: '5',
  },
  'WWW-Authenticate': {
    description: 'How to send the API key.',
    required: true,
    schema: { type: 'string' },
    example: 'ApiKey realm="quickbooks-token-broker", header="X-API-Key"',
  },
  Allow: {
    description: 'The methods that this path supports.',
    required: true,
    schema: { type: 'string', pattern: '^[A-Z]+(, [A-Z]+)*$' },
    example: 'GET, HEAD',
  },
  Location: {
    description: 'Where the browser goes next.',
    required: true,
    schema: { type: 'string', pattern: '^https?://' },
    example: 'https://appcenter.intuit.com/connect/oauth2?response_type=code&state=beach-blend%3A9lT0vWc2',
  },
  Refresh: {
    description: 'Removes code and state from the address bar: the browser loads the next page at once.',
    schema: { type: 'string', pattern: '^0; url=/oauth/(connected|failed)$' },
    example: '0; url=/oauth/connected',
  },
  'Set-Cookie': {
    description:
      'The data that the next page shows, or the secret that binds the consent to this browser. Never a token.',
    schema: { type: 'string', pattern: '^__Host-' },
    example: '__Host-connected=Beach%20Blend; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax',
  },
} satisfies Record<string, Header>

export type HeaderName = keyof typeof HEADERS

/** Headers that every response has, apart from a page's own policy with the same value. Listed once, not per operation. */
export const HEADERS_ON_EVERY_RESPONSE = [
  'Content-Security-Policy',
  'Cross-Origin-Opener-Policy',
  'Cross-Origin-Resource-Policy',
  'Referrer-Policy',
  'Strict-Transport-Security',
  'X-Content-Type-Options',
  'X-Frame-Options',
]
