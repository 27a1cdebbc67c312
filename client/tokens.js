/** @import { ClientOptions, QuickBooksTokens, Token } from './index.d.ts' */
/** @import { BrokerApi, BrokerResponse, RequestOptions } from './broker-api.js' */
import { toUnexpectedAnswer } from './broker-api.js'
import { BrokerError } from './error.js'
import { createSingleFlight } from './single-flight.js'
import { createTokenCache } from './token-cache.js'
import { isHeaderValue } from './validation.js'

/** The default remaining lifetime of a cached token. It leaves time for a request to QuickBooks. */
const MIN_TTL_SECONDS = 60

/** @param {Record<string, unknown>} body @returns {body is Omit<Token, 'generation'>} */
const isToken = (body) => isHeaderValue(body['access_token']) && Number.isInteger(body['access_token_expires_at'])

/** The `ETag` holds the generation. A proxy that compresses makes it weak: `W/"3"`. @param {BrokerResponse} answer @returns {Token} */
const parseToken = (answer) => {
  const { response, body } = answer
  const generation = /^(?:W\/)?"(\d+)"$/.exec(response.headers.get('ETag') ?? '')?.[1]
  if (!isToken(body) || generation === undefined) throw toUnexpectedAnswer(answer)
  return { ...body, generation: Number(generation) }
}

/** @param {unknown} error @param {string} code */
const hasCode = (error, code) => error instanceof BrokerError && error.code === code

/**
 * Reads and refreshes tokens through a cache. Concurrent calls with the same parameters share one request.
 * @param {BrokerApi} callBroker
 * @param {Required<Pick<ClientOptions, 'now' | 'waitUntil'>>} runtime
 */
export const createTokens = (callBroker, { now, waitUntil }) => {
  const cache = createTokenCache()
  const share = createSingleFlight(waitUntil)

  /** @param {string} companyKey @param {string} suffix @param {RequestOptions} [options] */
  const request = (companyKey, suffix, options = {}) => {
    const path = `token/${encodeURIComponent(companyKey)}${suffix}`
    return share(JSON.stringify([path, options]), async () =>
      cache.set(companyKey, parseToken(await callBroker(path, options))),
    )
  }

  /** @type {QuickBooksTokens['token']} */
  const token = async (companyKey, { minTtlSeconds } = {}) => {
    const cached = cache.get(companyKey)
    if (cached && cached.access_token_expires_at - now() > (minTtlSeconds ?? MIN_TTL_SECONDS)) return cached
    return request(companyKey, minTtlSeconds === undefined ? '' : `?min_ttl=${minTtlSeconds}`)
  }

  /** Reads the token from the table, past the broker's caches. @param {string} companyKey */
  const readStored = (companyKey) => request(companyKey, '', { headers: { 'Cache-Control': 'no-cache' } })

  /** A stored token of another generation than `usedGeneration`. @param {string} companyKey @param {number | undefined} usedGeneration */
  const findNewer = async (companyKey, usedGeneration) => {
    if (usedGeneration === undefined) return undefined
    const stored = await readStored(companyKey).catch(() => undefined)
    return stored?.generation === usedGeneration ? undefined : stored
  }

  /** @type {QuickBooksTokens['refresh']} */
  const refresh = async (companyKey, { ifGeneration } = {}) => {
    const usedGeneration = ifGeneration ?? cache.get(companyKey)?.generation
    const headers = ifGeneration === undefined ? {} : { 'If-Match': `"${ifGeneration}"` }
    try {
      return await request(companyKey, '/refresh', { method: 'POST', headers })
    } catch (error) {
      // Another caller has refreshed. The broker's caches may not have the new token yet.
      if (hasCode(error, 'generation_mismatch')) return readStored(companyKey)
      // The callers that used up the limit may have refreshed this token. Reads have a limit of their own.
      const newer = hasCode(error, 'rate_limited') ? await findNewer(companyKey, usedGeneration) : undefined
      if (newer) return newer
      throw error
    }
  }

  return { getCached: cache.get, token, readStored, refresh }
}

/** @typedef {ReturnType<typeof createTokens>} Tokens */
