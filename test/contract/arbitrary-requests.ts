import fc from 'fast-check'

const KEYS = [
  'beach',
  'sandbox-1',
  'a'.repeat(64),
  'new-1',
  'new-2',
  '-bad',
  '',
  'a/b',
  '%2e%2e',
  '..',
  'b%C3%BCro',
  '%ZZ',
  '%00',
]
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '',
    '0',
    '//evil.example',
    'https://evil.example',
    '\r\nX-Injected: 1',
    '<script>alert(1)</script>',
    '__proto__',
    'null',
  ),
  fc.integer({ min: 1, max: 6000 }).map((length) => 'x'.repeat(length)),
)
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...KEYS) },
  { weight: 1, arbitrary: text.map(percentEncoded) },
)

/** Text with half a surrogate has no percent-encoding. */
function percentEncoded(value: string) {
  return encodeURIComponent(value.toWellFormed())
}

const path = fc.oneof(
  { weight: 4, arbitrary: key.map((one) => `/oauth/start/${one}`) },
  { weight: 4, arbitrary: fc.constant('/oauth/callback') },
  { weight: 4, arbitrary: key.map((one) => `/api/token/${one}`) },
  { weight: 3, arbitrary: key.map((one) => `/api/token/${one}/refresh`) },
  { weight: 3, arbitrary: key.map((one) => `/api/connections/${one}`) },
  { weight: 2, arbitrary: key.map((one) => `/api/connections/${one}/start-links`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '/',
      '/health',
      '/api',
      '/api/connections',
      '/oauth/connected',
      '/oauth/failed',
      '/intuit/reconnect',
      '/console',
      '//evil.example/',
      '/\\evil.example',
      '/oauth/start/beach/../../api',
    ),
  },
  { weight: 1, arbitrary: text.map((one) => `/${percentEncoded(one)}`) },
  { weight: 1, arbitrary: fc.webPath() },
)

const NAMES = [
  'company_name',
  'code',
  'state',
  'realmId',
  'error',
  'api_key',
  'exp',
  'kid',
  'sig',
  'min_ttl',
  'next',
  'redirect_uri',
]
const parameter = fc.tuple(
  fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: text }),
  text,
)
const query = fc.oneof(
  fc
    .array(parameter, { maxLength: 5 })
    .map((pairs) => pairs.map(([name, value]) => `${percentEncoded(name)}=${percentEncoded(value)}`).join('&')),
  fc.string({ maxLength: 60 }),
  // The last ones are names that nobody may have: chance alone seldom brings one to a start that is allowed.
  fc.constantFrom('%', '%ff=%fe', '&&&', '=', 'state=%00', '?', 'company_name=a%07', 'company_name=%ff'),
)

const header = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      'Accept',
      'Cookie',
      'If-Match',
      'If-None-Match',
      'Content-Type',
      'Cache-Control',
      'X-API-Key',
      'Sec-Purpose',
      'Host',
      'X-Forwarded-Host',
      'Origin',
      'Range',
      'X-HTTP-Method-Override',
      'Content-Length',
      'Authorization',
    ),
    text,
  ),
  fc.constantFrom<[string, string]>(
    ['Accept', 'text/html'],
    ['Accept', 'text/html;q=0.1, */*;q=NaN'],
    ['If-Match', '"1"'],
    ['If-Match', 'W/"1", *'],
    ['Content-Type', 'application/json'],
    ['Cookie', '__Host-start-=; __Host-problem=%7B; __Host-connected=null'],
    ['Cache-Control', 'no-cache'],
  ),
)

const json = fc.oneof(
  fc.record(
    { company_name: fc.oneof(text, fc.jsonValue()), expires_in: fc.oneof(fc.integer(), fc.jsonValue()) },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
)
const body = fc.oneof(
  fc.constant(undefined),
  json.map((value) => new TextEncoder().encode(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 200 }),
  fc.integer({ min: 4000, max: 9000 }).map((length) => new Uint8Array(length).fill(0x20)),
)

/** A request as anybody may send one. `trusted`: with the right key. `state`: how the state of a real consent is used. */
export const anyRequest = fc.record({
  method: fc.oneof(
    { weight: 6, arbitrary: fc.constant('GET') },
    { weight: 2, arbitrary: fc.constant('POST') },
    { weight: 1, arbitrary: fc.constantFrom('DELETE', 'HEAD', 'PUT', 'PATCH', 'OPTIONS', 'PROPFIND', 'get') },
  ),
  path,
  query,
  headers: fc.array(header, { maxLength: 4 }),
  body,
  trusted: fc.constantFrom(true, true, true, false),
  state: fc.constantFrom('none', 'none', 'good', 'good', 'good without cookie', 'altered', 'longer'),
})
export type AnyRequest = typeof anyRequest extends fc.Arbitrary<infer Value> ? Value : never

const pairBody = fc.record(
  {
    access_token: fc.oneof(fc.constant('eyJ.access'), text, fc.jsonValue()),
    refresh_token: fc.oneof(fc.constant('RT1-next'), text, fc.jsonValue()),
    expires_in: fc.oneof(fc.constantFrom<unknown>(3600, '3600', -1, 0, 1e300, null), fc.jsonValue()),
    x_refresh_token_expires_in: fc.oneof(fc.constant(8_726_400), fc.jsonValue()),
    x_refresh_token_hard_expires_in: fc.jsonValue(),
    error: fc.jsonValue(),
  },
  { requiredKeys: [] },
)

/** How Intuit, or whoever stands in its way, may answer. */
export const anyIntuit = fc.record({
  kind: fc.constantFrom('body', 'body', 'body', 'good', 'good', 'huge', 'slow', 'never', 'reset', 'redirect'),
  status: fc.constantFrom(200, 200, 200, 201, 204, 302, 400, 400, 401, 403, 404, 418, 429, 500, 502, 503, 599),
  body: fc.oneof(
    pairBody.map((value) => JSON.stringify(value)),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.constantFrom(
      '',
      '<html>502</html>',
      '{"error":"invalid_grant"}',
      '{"error":"invalid_client"}',
      '{"access_token":',
    ),
    text,
  ),
  type: fc.constantFrom('application/json', 'text/html', 'application/json;charset=utf-8', ''),
  tid: fc.oneof(fc.constant('1-abc'), fc.string({ maxLength: 20 })),
})
export type AnyIntuit = typeof anyIntuit extends fc.Arbitrary<infer Value> ? Value : never

/** What may have become of a stored value. */
export const anyDamage = fc.record({
  kind: fc.constantFrom(
    'none',
    'none',
    'none',
    'flip',
    'cut',
    'swap record',
    'swap attribute',
    'other kid',
    'other alg',
    'noise',
  ),
  at: fc.nat({ max: 2000 }),
  noise: fc.string({ maxLength: 50 }),
})
export type AnyDamage = typeof anyDamage extends fc.Arbitrary<infer Value> ? Value : never
