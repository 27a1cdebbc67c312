interface Header {
  description: string
  /** Whether every answer that may have it has it. */
  required?: true
  schema: { type: 'string'; pattern?: string }
  example: string
}

/** Every response header that tells its reader something, as `components.headers`. */
export const HEADERS = {
  'X-Request-Id': {
    description: 'Finds this request in the operator’s log.',
    required: true,
    schema: { type: 'string', pattern: '^[0-9a-f-]{36}$' },
    example: '6f2c1c9e-8a5d-4a0e-9b43-0d4d0f6f7c55',
  },
  'Cache-Control': {
    description:
      '`no-store` on every answer. Token answers add `no-transform`, as a compressing edge would weaken the ETag.',
    required: true,
    schema: { type: 'string', pattern: '^no-store(, no-transform)?$' },
    example: 'no-store',
  },
  ETag: {
    description: 'The generation: it grows by one with every stored token pair. For `If-Match`.',
    required: true,
    schema: { type: 'string', pattern: '^"[0-9]+"$' },
    example: '"7"',
  },
  'Server-Timing': {
    description:
      'Where the token came from: memory, a replica of the table, the table, or Intuit just now; and how long, in ms.',
    required: true,
    schema: { type: 'string', pattern: '^(memory|replica|table|intuit);dur=[0-9]+$' },
    example: 'table;dur=12',
  },
  'Retry-After': {
    description: 'Seconds after which asking again makes sense.',
    schema: { type: 'string', pattern: '^[0-9]+$' },
    example: '5',
  },
  'WWW-Authenticate': {
    description: 'Which key is wanted, and where.',
    required: true,
    schema: { type: 'string' },
    example: 'ApiKey realm="quickbooks-token-broker", header="X-API-Key"',
  },
  Allow: {
    description: 'The methods of this path.',
    required: true,
    schema: { type: 'string', pattern: '^[A-Z]+(, [A-Z]+)*$' },
    example: 'GET, HEAD',
  },
  Location: {
    description: 'Where the browser goes on.',
    required: true,
    schema: { type: 'string', pattern: '^https?://' },
    example: 'https://appcenter.intuit.com/connect/oauth2?response_type=code&state=beach-blend%3A9lT0vWc2',
  },
  Refresh: {
    description: 'Takes code and state out of the address bar: the browser replaces the page at once.',
    schema: { type: 'string', pattern: '^0; url=/oauth/(connected|failed)$' },
    example: '0; url=/oauth/connected',
  },
  'Set-Cookie': {
    description:
      'What the page that follows will show, or what binds the consent to this browser. For this browser alone, never a token.',
    schema: { type: 'string', pattern: '^__Host-' },
    example: '__Host-connected=Beach%20Blend; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax',
  },
} satisfies Record<string, Header>

export type HeaderName = keyof typeof HEADERS

/** Headers with the same value on every answer but a page's own policy: said once, and not at each. */
export const ON_EVERY_ANSWER = [
  'Content-Security-Policy',
  'Cross-Origin-Opener-Policy',
  'Cross-Origin-Resource-Policy',
  'Referrer-Policy',
  'Strict-Transport-Security',
  'X-Content-Type-Options',
  'X-Frame-Options',
]
