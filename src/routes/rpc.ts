import * as v from 'valibot'
import type { RpcProblem } from '../../client/rpc.d.ts'
import type { Broker } from '../broker/broker.ts'
import { isCompanyKey, parseCompanyKey } from '../broker/company.ts'
import type { EpochMs, UsableToken } from '../broker/connection.ts'
import type { WaitUntil } from '../broker/ports/runtime.ts'
import type { RateLimiter } from '../middleware/rate-limit.ts'
import type { RequestLine } from '../middleware/request-log.ts'
import { PROBLEM_STATUS, Problem, problemBody, toProblem } from '../problem.ts'
import { connectionBody } from './connections.ts'
import { MAX_MIN_TTL_SECONDS } from './schemas/parameter-formats.ts'
import { tokenBody } from './tokens.ts'

interface RpcDeps {
  broker: Broker
  /** Limits the rate of forced refreshes by company key. Throws `rate_limited`. */
  forcedRefresh: RateLimiter
  now(): EpochMs
  logRequest(line: RequestLine): void
  logUnknownError(error: unknown, requestId: string): void
}

const WHOLE_NUMBER = v.pipe(v.number(), v.integer(), v.minValue(0))
const TOKEN_OPTIONS = v.optional(
  v.strictObject({
    minTtlSeconds: v.optional(v.pipe(WHOLE_NUMBER, v.maxValue(MAX_MIN_TTL_SECONDS)), 0),
    fresh: v.optional(v.boolean(), false),
  }),
  {},
)
const REFRESH_OPTIONS = v.optional(v.strictObject({ ifGeneration: v.optional(WHOLE_NUMBER) }), {})

/** Throws `invalid_request` with the name of the option. */
function parsed<Schema extends v.GenericSchema>(schema: Schema, options: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, options)
  if (result.success) return result.output
  const [{ path, message }] = result.issues
  const name = path?.[0]?.key
  throw new Problem(
    'invalid_request',
    `The options are malformed${name === undefined ? '' : ` at ${String(name)}`}: ${message}.`,
  )
}

/** Another Worker can send any value. Throws `invalid_company_key`. */
function parseKey(companyKey: unknown): string {
  return parseCompanyKey(typeof companyKey === 'string' ? companyKey : '')
}

function tokenAnswer(token: UsableToken) {
  return { ...tokenBody(token), generation: token.connection.generation }
}

function reason(problem: Problem, requestId: string): RpcProblem {
  return {
    ...problemBody(problem),
    retry_after: problem.retryAfterSeconds || undefined,
    request_id: requestId,
  }
}

/**
 * The calls of the entrypoint `Tokens`. Each returns what its route returns, with the generation, or a problem as a value.
 */
export function createRpcCalls({ broker, forcedRefresh, now, logRequest, logUnknownError }: RpcDeps) {
  const answered = async <Answer>(name: string, companyKey: unknown, call: () => Promise<Answer>) => {
    const [requestId, startedAt] = [crypto.randomUUID(), now()]
    const outcome = await call().catch((error: unknown) =>
      toProblem(error, (unknown) => logUnknownError(unknown, requestId)),
    )
    const problem = outcome instanceof Problem ? outcome : undefined
    logRequest({
      ...{ event: 'request', route: `Tokens.${name}`, method: 'RPC', request_id: requestId },
      ...{ status: problem ? PROBLEM_STATUS[problem.code] : 200, ms: now() - startedAt },
      ...{ key_name: undefined, key_in_query: undefined, source: undefined, network: undefined },
      company_key: typeof companyKey === 'string' && isCompanyKey(companyKey) ? companyKey : undefined,
      outcome: problem?.code ?? 'ok',
      intuit_tid: problem?.intuitTid,
      intuit_error: problem?.intuitError,
    })
    return outcome instanceof Problem ? reason(outcome, requestId) : outcome
  }

  return {
    getToken: (companyKey: unknown, options: unknown, waitUntil: WaitUntil) =>
      answered('getToken', companyKey, async () => {
        const { minTtlSeconds, fresh } = parsed(TOKEN_OPTIONS, options)
        const wanted = { minTtlSeconds, fromTable: fresh }
        return tokenAnswer((await broker.freshToken(parseKey(companyKey), wanted, waitUntil)).token)
      }),

    refreshToken: (companyKey: unknown, options: unknown, waitUntil: WaitUntil) =>
      answered('refreshToken', companyKey, async () => {
        const { ifGeneration } = parsed(REFRESH_OPTIONS, options)
        const generations = ifGeneration === undefined ? undefined : [ifGeneration]
        const key = parseKey(companyKey)
        await forcedRefresh(key)
        return tokenAnswer(await broker.refreshedToken(key, generations, waitUntil))
      }),

    getConnection: (companyKey: unknown) =>
      answered('getConnection', companyKey, async () => {
        const connection = await broker.connection(parseKey(companyKey))
        return { ...connectionBody(connection), generation: connection.generation }
      }),
  }
}
