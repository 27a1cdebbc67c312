// Gets a company's name from QuickBooks, with the broker's client.
//   BROKER_URL=http://localhost:8787 BROKER_API_KEY=… node company-info.js beach-blend
import { BrokerError, quickbooksTokens } from 'quickbooks-token-broker/client'

const { BROKER_URL = '', BROKER_API_KEY = '', QUICKBOOKS_API } = process.env
const companyKey = process.argv[2] ?? 'beach-blend'

// Use one client for the whole process: it caches tokens and shares requests.
const quickbooks = quickbooksTokens({ baseUrl: BROKER_URL, apiKey: BROKER_API_KEY })

try {
  const { realm_id, uses_sandbox_credentials } = await quickbooks.token(companyKey)
  const api =
    QUICKBOOKS_API ?? `https://${uses_sandbox_credentials ? 'sandbox-quickbooks' : 'quickbooks'}.api.intuit.com`
  // Adds the token. After a 401, gets a newer token and tries once more.
  const response = await quickbooks.fetch(companyKey, `${api}/v3/company/${realm_id}/companyinfo/${realm_id}`, {
    headers: { Accept: 'application/json' },
  })
  console.log(await response.text())
  if (!response.ok) process.exitCode = 1
} catch (error) {
  if (!(error instanceof BrokerError)) throw error
  // Branch on `code`, which is stable. `detail` says what to do, such as to connect the company again.
  console.error(
    error.code === 'reconnect_required' ? `Call the owner of ${companyKey}: ${error.detail}` : error.message,
  )
  process.exitCode = 1
}
