/** Answers the name of a connected company, as QuickBooks has it: `GET /beach-blend`. */
export default {
  /**
   * @param {Request} request
   * @param {{ TOKENS: import('quickbooks-token-broker/rpc').TokensBinding, QUICKBOOKS_API?: string }} env
   */
  async fetch(request, { TOKENS, QUICKBOOKS_API = 'https://quickbooks.api.intuit.com' }) {
    const companyKey = new URL(request.url).pathname.slice(1)

    /** @param {import('quickbooks-token-broker/client').Token} token */
    const ask = ({ realm_id, access_token }) =>
      fetch(`${QUICKBOOKS_API}/v3/company/${realm_id}/companyinfo/${realm_id}`, {
        headers: { Authorization: `Bearer ${access_token}`, Accept: 'application/json' },
        redirect: 'manual',
      })

    const token = await TOKENS.getToken(companyKey)
    if ('code' in token) return refused(token)
    const answer = await ask(token)
    if (answer.status !== 401) return answer

    // Many callers who saw this token fail cause one refresh: of another generation there is a newer token already.
    const refreshed = await TOKENS.refreshToken(companyKey, { ifGeneration: token.generation })
    const newer =
      'code' in refreshed && refreshed.code === 'generation_mismatch'
        ? await TOKENS.getToken(companyKey, { fresh: true })
        : refreshed
    return 'code' in newer ? refused(newer) : ask(newer)
  },
}

/** @param {import('quickbooks-token-broker/rpc').Refusal} refusal */
const refused = ({ status, code, detail }) => Response.json({ code, detail }, { status })
