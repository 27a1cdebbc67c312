/**
 * A word that a name must not contain. `pattern` is matched against the lower-case words of the name, separated by one
 * space: `keepAliveFailed` is `keep alive failed`. `allowed` are whole names: names on the wire, in storage or of an API.
 */
export type NameRule = { pattern: RegExp; write: string; example: string; allowed?: string[]; folders?: string[] }

/** A phrase that comments, strings and documents must not contain. Case does not matter, and a space matches a line break too. */
export type PhraseRule = { pattern: RegExp; write: string; example: string }

/** Rules for identifiers, log events and file names. */
export const NAME_RULES: NameRule[] = [
  { pattern: /\bbrak(e|es|ed|ing)\b/, write: 'rate limit', example: 'callerBrake' },
  { pattern: /\bflights\b|\bfly\b|\blanded\b/, write: 'single-flight', example: 'flights' },
  { pattern: /\bjudg\w*\b|\bdespite failure\b/, write: 'classify, usable-token rules', example: 'despiteFailure' },
  { pattern: /\bsurroundings\b/, write: 'runtime', example: 'surroundings' },
  {
    pattern: /\bkeep alive\b/,
    write: 'waitUntil (a promise), idle refresh (a connection)',
    example: 'keep_alive_failed',
    allowed: ['KEEP_ALIVE_DAYS', 'KEEP_ALIVE_REFRESHES', 'keepAlive'],
  },
  {
    pattern: /^near$|\bnear reads?\b|\bfar reads?\b|^home$|\bhome region\b/,
    write: 'replica reads, primary region',
    example: 'nearReads',
    allowed: ['HOME'],
  },
  { pattern: /\bnewest seen\b/, write: 'generation watermark', example: 'newestSeen' },
  {
    pattern: /\brecall\w*\b|\bremember\w*\b|\bforg(et|ets|ot|otten)\b/,
    write: 'get, set, invalidate, delete',
    example: 'forgetTraces',
  },
  { pattern: /\bwhereabouts\b/, write: 'caller location', example: 'whereabouts' },
  { pattern: /\brefusals?\b/, write: 'error', example: 'consentRefusals' },
  { pattern: /^caller$|\breaches\b/, write: 'API client, canAccess', example: 'reaches', folders: ['src'] },
  { pattern: /\bspen(d|ds|t|ding)\b/, write: 'use, redeem, exchange', example: 'spentHash' },
  { pattern: /\bpresented\b|\bpresentations?\b/, write: 'used, redeemed', example: 'presentedHash' },
  { pattern: /\bpersist(s|ed)?\b/, write: 'store', example: 'persistPair', allowed: ['persistAuthorization'] },
  {
    pattern: /\bgranted\b|\brefused (answer|exchange|response)s?\b/,
    write: 'token response, token error',
    example: 'GrantedExchange',
  },
  { pattern: /\btransport\b/, write: 'DynamoDB HTTP client', example: 'signedTransport', folders: ['src'] },
  {
    pattern: /^(starting|finishing|spending|refreshing|disconnecting|sealing|keeping)$/,
    write: 'createStart, createCallback, createRefresh …',
    example: 'finishing',
  },
  {
    pattern: / of$/,
    write: 'a verb: parseX, toX, findX, addX',
    example: 'placeOf',
    allowed: [
      'indexOf',
      'lastIndexOf',
      'valueOf',
      'oneOf',
      'allOf',
      'anyOf',
      'parseOneOf',
      'toBeInstanceOf',
      'getPrototypeOf',
      'setPrototypeOf',
    ],
  },
  { pattern: /^(noted|bundled|parted)$/, write: 'a verb: parseX, toX, findX, addX', example: 'noted' },
  {
    pattern: /.(ports|parts)$/,
    write: '…Deps',
    example: 'LedgerParts',
    allowed: ['formatToParts', 'supports'],
    folders: ['src', 'dev', 'client', 'public'],
  },
  { pattern: /\bsightings?\b|\bsweeps?\b/, write: 'indexed connection, index scan', example: 'lastSweep' },
  {
    pattern: /\brounds\b/,
    write: 'cron state, index scan',
    example: 'memoryRounds',
    allowed: ['rounds'],
    folders: ['src'],
  },
  { pattern: /\btold\b|\buntold\b/, write: 'last notified', example: 'lastTold' },
  { pattern: /\balerted\b/, write: 'last notified', example: 'alertedStatus', allowed: ['alerted'] },
  { pattern: /\bclient pairs?\b|\bcredential pairs?\b/, write: 'client credentials', example: 'clientPair' },
  { pattern: /\bclaimants?\b/, write: 'lease owner, owner', example: 'claimant' },
  { pattern: /\blook into\b/, write: 'find, read, check', example: 'lookInto' },
  {
    pattern: /\b(un)?seal(s|ed|er|ers|ing)?\b/,
    write: 'encrypt, decrypt, encrypted',
    example: 'openSealed',
    allowed: ['sealed_token_unreadable', 'REQUIRE_SEALED'],
  },
]

/** Rules for the names of files alone, where an identifier of that name would be ordinary. */
export const FILE_RULES: NameRule[] = [
  { pattern: /^(once|recent)$/, write: 'lazy, lru', example: 'once' },
  { pattern: /^forms$/, write: 'formats', example: 'forms' },
  { pattern: /^memory$/, write: 'token-cache', example: 'memory', folders: ['src', 'client'] },
  { pattern: /^(wait|verify)$/, write: 'await-lease, revalidate', example: 'verify' },
  { pattern: /^(core|service)$/, write: 'composition', example: 'core', folders: ['src'] },
]

/** Rules for comments, strings, test titles and documents. */
export const PHRASE_RULES: PhraseRule[] = [
  { pattern: /\bbears? being\b/, write: 'Idempotent.', example: 'Every call bears being applied twice' },
  {
    pattern: /\bIntuit[’']s no\b/,
    write: 'records the failed refresh',
    example: 'Remembers Intuit’s no and ends the lease',
  },
  {
    pattern: /\bwhom a\b|\bbelongs? to that fits none\b/,
    write: 'sentinel for unknown keys',
    example: 'Whom a key belongs to that fits none',
  },
  {
    pattern: /\b(took|taken|takes?) another way\b/,
    write: 'changed by another writer',
    example: 'The record that took another way',
  },
  { pattern: /\bbeing unwell\b/, write: 'a transient failure at Intuit', example: 'Intuit being unwell' },
  { pattern: /\bwhat breaks the service\b/, write: 'fails open', example: 'must not be what breaks the service' },
  {
    pattern: /\bbehind (the|an|its|their) (answer|response)s?\b/,
    write: 'in the background, after the response',
    example: 'behind the answer',
  },
  { pattern: /\bseal(s|ed|ing)?( it| them)? anew\b/, write: 're-encrypts', example: 'seals it anew' },
  {
    pattern: /\bwho holds the\b|\bwhoever holds\b/,
    write: 'Any Worker with this binding can …',
    example: 'who holds the binding may ask for every company',
  },
  {
    pattern: /\btables? of before\b|\bmoving in\b(?! (the|a)\b)/,
    write: 'an existing table, migrating',
    example: 'a table of before',
  },
  {
    pattern: /\bnext to die\b|\bdie[sd]? of idleness\b/,
    write: 'soonest to expire, expires after inactivity',
    example: 'dies of idleness',
  },
  {
    pattern: /\bto mend\b|\bnot looked at\b|\d to look at\b/,
    write: 'warnings, failed, skipped',
    example: '0 to look at, 0 to mend',
  },
  { pattern: /\bparted by\b/, write: 'separated by, space-separated', example: 'parted by spaces' },
  { pattern: /\bwatch and mend\b/, write: 'Manage connections', example: 'Watch and mend the connections' },
  {
    pattern: /\bhears? \d{3}\b|\bhears? of (it|no|an?)\b/,
    write: 'gets 403',
    example: 'A right key that may not do something hears 403',
  },
]
