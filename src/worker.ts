import { WorkerEntrypoint } from 'cloudflare:workers'
import type { RefreshOptions, TokenOptions, TokensBinding } from '../client/rpc.d.ts'
import type { WaitUntil } from './broker/ports/runtime.ts'
import { runCron } from './cron.ts'
import type { Env } from './runtime.ts'
import { createService } from './service.ts'

export { RescueStore } from './rescue/rescue-object.ts'

/** One for the isolate: it keeps keys and, for seconds, tokens in use. */
const services = new WeakMap<object, ReturnType<typeof createService>>()

function serviceFor(env: Env) {
  const service = services.get(env) ?? createService(env)
  services.set(env, service)
  return service
}

/** Tokens for other Workers of the account, over a service binding with the entrypoint `Tokens`: the binding is the permission. */
export class Tokens extends WorkerEntrypoint<Env> implements TokensBinding {
  readonly #waitUntil: WaitUntil = (promise) => this.ctx.waitUntil(promise)

  getToken(companyKey: string, options?: TokenOptions) {
    return serviceFor(this.env).calls.getToken(companyKey, options, this.#waitUntil)
  }

  refreshToken(companyKey: string, options?: RefreshOptions) {
    return serviceFor(this.env).calls.refreshToken(companyKey, options, this.#waitUntil)
  }

  getConnection(companyKey: string) {
    return serviceFor(this.env).calls.getConnection(companyKey)
  }
}

export default {
  fetch: (request, env, ctx) => serviceFor(env).app.fetch(request, undefined, ctx),
  scheduled: (_, env, ctx) => runCron(env, (promise) => ctx.waitUntil(promise)),
} satisfies ExportedHandler<Env>
