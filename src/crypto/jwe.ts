import * as v from 'valibot'
import { lazy } from '../lib/lazy.ts'
import { createLru } from '../lib/lru.ts'
import { base64Url, bytesOfBase64Url } from './bytes.ts'

/** What the header of every value of ours says, and nothing else: another `alg` or `enc`, `crit` or `zip` is no value of ours. */
const headerSchema = lazy(() =>
  v.strictObject({
    alg: v.picklist(['dir']),
    enc: v.picklist(['A256GCM']),
    kid: v.string(),
    /** Whose value this is: a registered header parameter by RFC 7519 section 5.3. */
    sub: v.string(),
    /** Which kind of value this is, told apart as RFC 8725 section 3.11 advises. */
    typ: v.string(),
  }),
)
export type JweHeader = v.InferOutput<ReturnType<typeof headerSchema>>

/** A compact JWE, taken apart. `aad` is the header as it was sent, which the tag covers. */
export interface Jwe {
  header: JweHeader
  aad: string
  iv: Uint8Array<ArrayBuffer>
  /** Ciphertext and tag, one after the other, as WebCrypto has them. */
  sealed: Uint8Array<ArrayBuffer>
}

/** RFC 7518 section 5.3: 96 bits of IV and 128 bits of tag. */
const IV_BYTES = 12
const TAG_BYTES = 16

const IV_LENGTH = 16
const TAG_LENGTH = 22

/** The last characters that leave the bits that they do not use at zero, by what is over four characters. */
const LAST = ['', '', 'AQgw', 'AEIMQUYcgkosw048']

/** Whether a text is base64url of one spelling (RFC 4648 section 3.5), so that no changed character opens. */
function isCanonical(text: string): boolean {
  const rest = text.length % 4
  return /^[\w-]*$/.test(text) && (rest === 0 || (LAST[rest] ?? '').includes(text.slice(-1)))
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function joined(first: Uint8Array, second: Uint8Array) {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

function parsedHeader(text: string) {
  try {
    const parsed = v.safeParse(headerSchema(), JSON.parse(decoder.decode(bytesOfBase64Url(text))))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

/** By their spelling: that of one attribute of one record is the same at every read. */
const headers = createLru<JweHeader>(1_000, 400)

function headerOf(text: string) {
  const known = headers.get(text)
  if (known) return known
  const header = parsedHeader(text)
  // A copy: a part of a text keeps all of it in memory, which here would be the sealed value.
  if (header) headers.set(decoder.decode(encoder.encode(text)), header)
  return header
}

/** A key for both directions, of 32 bytes. It cannot be exported again. */
export function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

/** Encrypts a text (RFC 7516 section 5.1). */
export async function encryptJwe(key: CryptoKey, header: JweHeader, plaintext: string): Promise<string> {
  const protectedHeader = base64Url(encoder.encode(JSON.stringify(header)))
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const algorithm = { name: 'AES-GCM', iv, additionalData: encoder.encode(protectedHeader) }
  const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, encoder.encode(plaintext)))
  const [ciphertext, tag] = [sealed.subarray(0, -TAG_BYTES), sealed.subarray(-TAG_BYTES)]
  return `${protectedHeader}..${base64Url(iv)}.${base64Url(ciphertext)}.${base64Url(tag)}`
}

/** Takes a compact JWE apart; its header is not yet to be trusted. `undefined`: it is none of this kind. */
export function parseJwe(text: string): Jwe | undefined {
  const [protectedHeader = '', encryptedKey, iv = '', ciphertext = '', tag = '', ...more] = text.split('.')
  // RFC 7516 section 7.1, with the empty encrypted key of `dir`.
  if (encryptedKey !== '' || more.length > 0 || iv.length !== IV_LENGTH || tag.length !== TAG_LENGTH) return undefined
  // The header has no need: it is covered by the tag as it is spelled.
  if (![iv, ciphertext, tag].every(isCanonical)) return undefined
  const header = headerOf(protectedHeader)
  if (!header) return undefined
  return {
    header,
    aad: protectedHeader,
    iv: bytesOfBase64Url(iv),
    sealed: joined(bytesOfBase64Url(ciphertext), bytesOfBase64Url(tag)),
  }
}

/** Decrypts (RFC 7516 section 5.2). `undefined`: this key did not encrypt this value with this header. */
export async function decryptJwe(key: CryptoKey, { aad, iv, sealed }: Jwe): Promise<string | undefined> {
  try {
    const algorithm = { name: 'AES-GCM', iv, additionalData: encoder.encode(aad) }
    const plaintext = await crypto.subtle.decrypt(algorithm, key, sealed)
    return decoder.decode(plaintext)
  } catch {
    return undefined
  }
}
