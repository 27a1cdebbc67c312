import { env, waitUntil } from 'cloudflare:workers'
import { quickbooksTokens } from 'quickbooks-token-broker/client'

// Keeps one client for all requests.
const quickbooks = quickbooksTokens({ baseUrl: env.BROKER_URL, apiKey: env.BROKER_API_KEY, waitUntil })

export default { fetch: () => quickbooks.fetch(env.COMPANY_KEY, env.COMPANY_INFO_URL) }
