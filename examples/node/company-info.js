// Asks QuickBooks for a company's name, with the broker's client.
//   BROKER_URL=http://localhost:8787 BROKER_API_KEY=… node company-info.js beach-blend
import { BrokerError, quickbooksTokens } from 'quickbooks-token-broker/client'

const { BROKER_URL = '', BROKER_API_KEY = '', QUICKBOOKS_API } = process.env
const companyKey = process.argv[2] ?? 'beach-blend'

// Keep one client for the whole process: it remembers tokens and shares requests.
const quickbooks = quickbooksTokens({ baseUrl: BROKER_URL, apiKey: BROKER_API_KEY })

try {
  const { realm_id, uses_sandbox_credentials } = await quickbooks.token(companyKey)
  const api =
    QUICKBOOKS_API ?? `https://${uses_sandbox_credentials ? 'sandbox-quickbooks' : 'quickbooks'}.api.intuit.com`
  // Adds the token; on 401 gets a newer one and tries once more.
  const answer = await quickbooks.fetch(companyKey, `${api}/v3/company/${realm_id}/companyinfo/${realm_id}`, {
    headers: { Accept: 'application/json' },
  })
  console.log(await answer.text())
  if (!answer.ok) process.exitCode = 1
} catch (error) {
  if (!(error instanceof BrokerError)) throw error
  // `detail` says what to do, such as connecting the company again; act on `code`, which never changes its meaning.
  console.error(
    error.code === 'reconnect_required' ? `Call the owner of ${companyKey}: ${error.detail}` : error.message,
  )
  process.exitCode = 1
}
