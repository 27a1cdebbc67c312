import { timingSafeEqual } from 'node:crypto'
import { registerHooks } from 'node:module'

// What workerd has and Node lacks, so that the built Worker runs here, one instance to an import.

const RUNTIME = `
export class DurableObject {}
export class WorkerEntrypoint {}
export class RpcTarget {}
`

/** Lets Node import a bundle that names modules of the Workers runtime. */
export const provideWorkersRuntime = (): void => {
  Object.assign(crypto.subtle, { timingSafeEqual })
  registerHooks({
    resolve: (name, context, next) =>
      name.startsWith('cloudflare:') ? { url: name, shortCircuit: true } : next(name, context),
    load: (url, context, next) =>
      url.startsWith('cloudflare:') ? { format: 'module', source: RUNTIME, shortCircuit: true } : next(url, context),
  })
}
