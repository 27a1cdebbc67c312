import { isNotOffered } from './api.js'

/** @import { Api, Failed } from './api.js' */

/** The start URL without a signature. It does not expire. @param {string} companyKey @param {string} [companyName] */
const toPlainLink = (companyKey, companyName) => {
  const url = new URL(`/oauth/start/${encodeURIComponent(companyKey)}`, location.origin)
  if (companyName) url.searchParams.set('company_name', companyName)
  return url.href
}

/**
 * Creates a start link: a signed one if the deployment offers it, or a plain one. Resolves with the failed response
 * otherwise.
 * @param {Api} api
 * @param {string} companyKey
 * @param {string} [companyName]
 * @returns {Promise<{ ok: true, url: string, expiresAt: number | undefined } | Failed>}
 */
export const createStartLink = async (api, companyKey, companyName) => {
  const answer = await api.startLink(companyKey, companyName)
  if (answer.ok) return { ok: true, url: answer.body.url, expiresAt: answer.body.expires_at ?? undefined }
  if (!isNotOffered(answer) && answer.code !== 'connection_not_found') return answer
  return { ok: true, url: toPlainLink(companyKey, companyName), expiresAt: undefined }
}
