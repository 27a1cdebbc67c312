import { timingSafeEqual } from 'node:crypto'
import { registerHooks } from 'node:module'

const RUNTIME = `
export class DurableObject {}
export class WorkerEntrypoint {}
export class RpcTarget {}
`

/** Adds what workerd has and Node lacks, so that Node can import the built Worker. */
export const provideWorkersRuntime = (): void => {
  Object.assign(crypto.subtle, { timingSafeEqual })
  registerHooks({
    resolve: (name, context, next) =>
      name.startsWith('cloudflare:') ? { url: name, shortCircuit: true } : next(name, context),
    load: (url, context, next) =>
      url.startsWith('cloudflare:') ? { format: 'module', source: RUNTIME, shortCircuit: true } : next(url, context),
  })
}
