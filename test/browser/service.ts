import { createServer } from 'node:http'
import { closeServer, listen } from '../../dev/listen.ts'
import { startService } from '../support/worker-harness.ts'

const freePort = async () => {
  const server = createServer()
  const port = await listen(server)
  await closeServer(server)
  return port
}

/** The whole service at an address that a browser can go to, as `npm start` has it. */
export const startBrowsable = async (vars: Record<string, string> = {}) => {
  const port = await freePort()
  const service = await startService({ port, vars })
  const origin = `http://localhost:${port}`
  /** Makes the state on its way expire behind the Worker's back. */
  const expireState = async (companyKey: string) => {
    const items = await service.dynamo.all()
    const state = items.find(({ pk, company_key: key }) => pk?.S?.startsWith('state#') && key?.S === companyKey)
    if (!state) throw new Error('There is no state on its way.')
    await service.dynamo.put({ ...state, expires_at: { N: '1' } })
  }
  return { ...service, origin, hosts: [new URL(origin).host, new URL(service.intuit.url).host], expireState }
}

export type Browsable = Awaited<ReturnType<typeof startBrowsable>>
