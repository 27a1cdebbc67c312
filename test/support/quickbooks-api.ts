import { createServer } from 'node:http'
import { closeServer, LOOPBACK, listen } from '../../dev/listen.ts'
import { sha256 } from './fixtures.ts'
import type { createIntuitControl } from './intuit-control.ts'

/** A stand-in for the accounting API. Returns the company info for access tokens that the stand-in Intuit issued and still accepts. */
export const startQuickBooksApi = async (intuit: ReturnType<typeof createIntuitControl>) => {
  const statuses: number[] = []
  let rejections = 0
  let beforeRejection = async (): Promise<unknown> => undefined

  const isAccepted = async (path: string, authorization: string) => {
    if (rejections > 0) {
      rejections--
      await beforeRejection()
      return false
    }
    const { grants } = await intuit.state()
    const hash = sha256(authorization.replace('Bearer ', ''))
    const grant = grants.find(({ alive, accessTokenHashes }) => alive && accessTokenHashes.includes(hash))
    return grant !== undefined && path === `/v3/company/${grant.realmId}/companyinfo/${grant.realmId}`
  }

  const server = createServer(async (request, response) => {
    const status = (await isAccepted(request.url ?? '', request.headers.authorization ?? '')) ? 200 : 401
    statuses.push(status)
    const body =
      status === 200 ? { CompanyInfo: { CompanyName: 'Beach Blend' } } : { fault: { type: 'AUTHENTICATION' } }
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  })
  const url = `http://${LOOPBACK}:${await listen(server)}`

  return {
    url,
    companyInfo: (realmId: string) => `${url}/v3/company/${realmId}/companyinfo/${realmId}`,
    /** The statuses of all responses so far. */
    statuses,
    /** Rejects the next requests with 401 after `before` has run. */
    refuse: (times: number, before: () => Promise<unknown> = async () => undefined) => {
      rejections = times
      beforeRejection = before
    },
    close: () => closeServer(server),
  }
}

export type QuickBooksApi = Awaited<ReturnType<typeof startQuickBooksApi>>
