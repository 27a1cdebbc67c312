import { createServer } from 'node:http'
import { closeServer, LOOPBACK, listen } from '../../dev/listen.ts'
import { sha256 } from './fixtures.ts'
import type { intuitControl } from './intuit-control.ts'

/** Stands in for the accounting API: answers the company info to access tokens that the stand-in Intuit holds valid. */
export const startQuickBooksApi = async (intuit: ReturnType<typeof intuitControl>) => {
  const statuses: number[] = []
  let refusals = 0
  let beforeRefusal = async (): Promise<unknown> => undefined

  const isAccepted = async (path: string, authorization: string) => {
    if (refusals > 0) {
      refusals--
      await beforeRefusal()
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
    /** The statuses answered so far. */
    statuses,
    /** Refuses the next requests, whatever their token, once something else has happened. */
    refuse: (times: number, before: () => Promise<unknown> = async () => undefined) => {
      refusals = times
      beforeRefusal = before
    },
    close: () => closeServer(server),
  }
}

export type QuickBooksApi = Awaited<ReturnType<typeof startQuickBooksApi>>
