/**
 * Returns the name that QuickBooks has for a connected company: `GET /beach-blend`. The binding has access to every
 * company, so the Worker asks its own callers for a key: `X-API-Key`, compared with the secret CALLER_KEY.
 */
export default {
  /**
   * @param {Request} request
   * @param {{ TOKENS: import('quickbooks-token-broker/rpc').TokensBinding, CALLER_KEY: string, QUICKBOOKS_API?: string }} env
   */
  async fetch(request, { TOKENS, CALLER_KEY, QUICKBOOKS_API = 'https://quickbooks.api.intuit.com' }) {
    if (!(await isAllowed(request, CALLER_KEY))) return Response.json({ code: 'invalid_api_key' }, { status: 401 })
    const companyKey = new URL(request.url).pathname.slice(1)

    /** @param {import('quickbooks-token-broker/client').Token} token */
    const getCompanyInfo = ({ realm_id, access_token }) =>
      fetch(`${QUICKBOOKS_API}/v3/company/${realm_id}/companyinfo/${realm_id}`, {
        headers: { Authorization: `Bearer ${access_token}`, Accept: 'application/json' },
        redirect: 'manual',
      })

    const token = await TOKENS.getToken(companyKey)
    if ('code' in token) return toResponse(token)
    const response = await getCompanyInfo(token)
    if (response.status !== 401) return response

    // The condition makes many callers that saw this token fail cause one refresh. A mismatch means that there is a newer token.
    const refreshed = await TOKENS.refreshToken(companyKey, { ifGeneration: token.generation })
    const newer =
      'code' in refreshed && refreshed.code === 'generation_mismatch'
        ? await TOKENS.getToken(companyKey, { fresh: true })
        : refreshed
    return 'code' in newer ? toResponse(newer) : getCompanyInfo(newer)
  },
}

/** @param {import('quickbooks-token-broker/rpc').RpcProblem} problem */
const toResponse = ({ status, code, detail }) => Response.json({ code, detail }, { status })

/**
 * Whether the request has the key. Compares digests, whose length is always the same, in constant time. Without a
 * configured key, nobody is allowed.
 *
 * @param {Request} request
 * @param {string | undefined} key
 */
const isAllowed = async (request, key) => {
  const given = request.headers.get('X-API-Key')
  if (!key || !given) return false
  const [expected, actual] = await Promise.all([key, given].map(toDigest))
  return expected !== undefined && actual !== undefined && crypto.subtle.timingSafeEqual(expected, actual)
}

/** @param {string} text */
const toDigest = (text) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
