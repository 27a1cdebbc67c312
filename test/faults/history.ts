import type { SeenRequest } from '../support/fault-orders.ts'
import type { SeenGrant } from '../support/intuit-proxy.ts'
import type { Service } from '../support/worker-harness.ts'
import { tableRequest } from './joints.ts'

type SeenStore = SeenRequest & { usedTokenHash: string; successorHash: string }

const short = (hash: string | undefined) => hash?.slice(0, 8) ?? '-'
const isStore = (seen: SeenRequest): SeenStore[] => {
  const { usedTokenHash, successorHash } = tableRequest(seen) ?? {}
  return usedTokenHash && successorHash ? [{ ...seen, usedTokenHash, successorHash }] : []
}

/** The requests that the proxies recorded. */
export const history = ({ dynamo, tokenEndpoint }: Pick<Service, 'dynamo' | 'tokenEndpoint'>) => {
  const refreshes = () => tokenEndpoint.requests.filter(({ operation }) => operation === 'refresh_token')
  const stores = () => dynamo.requests.flatMap(isStore)

  /** The refreshes in which Intuit first issued this refresh token. */
  const births = (hash: string): SeenRequest<SeenGrant>[] =>
    refreshes().filter(({ body }) => body.issued?.refreshTokenHash === hash && body.usedTokenHash !== hash)

  /** Whether Intuit has issued a successor of this refresh token. */
  const wasRotated = (hash: string) =>
    refreshes().some(
      ({ body: { usedTokenHash, issued } }) => usedTokenHash === hash && issued && issued.refreshTokenHash !== hash,
    )

  /** The uses of one refresh token. */
  const tokenUses = (hash: string) => refreshes().filter(({ body }) => body.usedTokenHash === hash)

  /** Whether this refresh token was ever stored. */
  const wasStored = (hash: string) =>
    stores().some(({ status, successorHash }) => status === 200 && successorHash === hash)

  const wasIssued = (accessTokenHash: string) =>
    tokenEndpoint.requests.some(({ body }) => body.issued?.accessTokenHash === accessTokenHash)

  /** Uses of a token that began after its successor was stored. The broker guarantees that there are none. */
  const usedAfterSuccessor = () => {
    const supersededAt = new Map<string, number>()
    for (const { status, endedAt, usedTokenHash, successorHash } of stores()) {
      if (status === 200 && endedAt !== undefined && usedTokenHash !== successorHash)
        supersededAt.set(usedTokenHash, endedAt)
    }
    return refreshes().filter(({ startedAt, body }) => startedAt > (supersededAt.get(body.usedTokenHash) ?? Infinity))
      .length
  }

  /** One line for each request of a company since `from`. Tokens are shown as the first digits of their hashes. */
  const trace = (companyKey: string, hashes: string[], from: number): string => {
    const table = dynamo.requests.flatMap((seen) => {
      const request = tableRequest(seen)
      if (request?.companyKey !== companyKey) return []
      return [{ ...seen, what: `${request.joint} ${short(request.usedTokenHash)} ${short(request.successorHash)}` }]
    })
    const intuit = refreshes()
      .filter(({ body }) => hashes.includes(body.usedTokenHash) || hashes.includes(body.issued?.refreshTokenHash ?? ''))
      .map((seen) => {
        const { usedTokenHash, issued } = seen.body
        return { ...seen, what: `intuit ${short(usedTokenHash)} ${short(issued?.refreshTokenHash)}` }
      })
    return [...table, ...intuit]
      .filter(({ startedAt }) => startedAt >= from)
      .sort((one, other) => one.startedAt - other.startedAt)
      .map(({ what, status, delivered, startedAt, endedAt }) => {
        const took = endedAt === undefined ? '?' : Math.round(endedAt - startedAt)
        return `  ${Math.round(startedAt - from)} ms: ${what}, ${status ?? 'no answer'}, ${delivered ? '' : 'not '}delivered, ${took} ms`
      })
      .join('\n')
  }

  return {
    births,
    tokenUses,
    wasRotated,
    wasStored,
    wasIssued,
    usedAfterSuccessor,
    trace,
    calls: () => refreshes().length,
    /** Successful refreshes at Intuit. */
    successful: () => refreshes().filter(({ body }) => body.issued).length,
  }
}

export type History = ReturnType<typeof history>
