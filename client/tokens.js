/** @import { ClientOptions, QuickBooksTokens, Token } from './index.d.ts' */
/** @import { Answer, Ask, Asked } from './wire.js' */
import { fitsHeader } from './address.js'
import { BrokerError } from './error.js'
import { tokenMemory } from './memory.js'
import { sharing } from './sharing.js'
import { unexpected } from './wire.js'

/** What a remembered token must have left where the caller does not say: a request to QuickBooks takes its time. */
const MIN_TTL_SECONDS = 60

/** @param {Record<string, unknown>} body @returns {body is Omit<Token, 'generation'>} */
const isToken = (body) => fitsHeader(body['access_token']) && Number.isInteger(body['access_token_expires_at'])

/** A proxy that compresses weakens the `ETag`: `W/"3"`. @param {Answer} answer @returns {Token} */
const tokenOf = (answer) => {
  const { response, body } = answer
  const generation = /^(?:W\/)?"(\d+)"$/.exec(response.headers.get('ETag') ?? '')?.[1]
  if (!isToken(body) || generation === undefined) throw unexpected(answer)
  return { ...body, generation: Number(generation) }
}

/**
 * @param {Ask} ask
 * @param {Required<Pick<ClientOptions, 'now' | 'waitUntil'>>} runtime
 */
export const rememberedTokens = (ask, { now, waitUntil }) => {
  const { recall, remember } = tokenMemory()
  const share = sharing(waitUntil)

  /** @param {string} companyKey @param {string} suffix @param {Asked} [asked] */
  const asking = (companyKey, suffix, asked = {}) => {
    const path = `token/${encodeURIComponent(companyKey)}${suffix}`
    return share(JSON.stringify([path, asked]), async () => remember(companyKey, tokenOf(await ask(path, asked))))
  }

  /** @type {QuickBooksTokens['token']} */
  const token = async (companyKey, { minTtlSeconds } = {}) => {
    const known = recall(companyKey)
    if (known && known.access_token_expires_at - now() > (minTtlSeconds ?? MIN_TTL_SECONDS)) return known
    return asking(companyKey, minTtlSeconds === undefined ? '' : `?min_ttl=${minTtlSeconds}`)
  }

  /** The stored token, whatever the broker's memories hold. @param {string} companyKey */
  const readStored = (companyKey) => asking(companyKey, '', { headers: { 'Cache-Control': 'no-cache' } })

  /** @type {QuickBooksTokens['refresh']} */
  const refresh = async (companyKey, { ifGeneration } = {}) => {
    const headers = ifGeneration === undefined ? {} : { 'If-Match': `"${ifGeneration}"` }
    try {
      return await asking(companyKey, '/refresh', { method: 'POST', headers })
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'generation_mismatch') throw error
      // Someone else has refreshed; a broker's memory may not know it yet.
      return readStored(companyKey)
    }
  }

  return { recall, token, readStored, refresh }
}
