import { WorkerEntrypoint } from 'cloudflare:workers'
import type { RefreshOptions, TokenOptions, TokensBinding } from '../client/rpc.d.ts'
import type { WaitUntil } from './broker/ports/runtime.ts'
import { createHandlers } from './composition.ts'
import { runCron } from './cron.ts'
import type { Env } from './runtime.ts'

export { RescueStore } from './rescue/rescue-object.ts'

/** One entry per isolate: the handlers cache imported keys and, for seconds, tokens in use. */
const handlersByEnv = new WeakMap<object, ReturnType<typeof createHandlers>>()

function findHandlers(env: Env) {
  const handlers = handlersByEnv.get(env) ?? createHandlers(env)
  handlersByEnv.set(env, handlers)
  return handlers
}

/**
 * Tokens for other Workers of the account, over a service binding with the entrypoint `Tokens`: the binding is the
 * permission.
 */
export class Tokens extends WorkerEntrypoint<Env> implements TokensBinding {
  readonly #waitUntil: WaitUntil = (promise) => this.ctx.waitUntil(promise)

  getToken(companyKey: string, options?: TokenOptions) {
    return findHandlers(this.env).calls.getToken(companyKey, options, this.#waitUntil)
  }

  refreshToken(companyKey: string, options?: RefreshOptions) {
    return findHandlers(this.env).calls.refreshToken(companyKey, options, this.#waitUntil)
  }

  getConnection(companyKey: string) {
    return findHandlers(this.env).calls.getConnection(companyKey)
  }
}

export default {
  fetch: (request, env, ctx) => findHandlers(env).app.fetch(request, undefined, ctx),
  scheduled: (_, env, ctx) => runCron(env, (promise) => ctx.waitUntil(promise)),
} satisfies ExportedHandler<Env>
