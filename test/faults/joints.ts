import * as v from 'valibot'
import type { SeenRequest } from '../support/fault-orders.ts'

/** The calls of a refresh, by purpose. */
export type Joint = 'read' | 'claim' | 'intuit' | 'store' | 'fail' | 'release'

const STRING = v.object({ S: v.string() })
const REQUEST = v.object({
  Key: v.object({ pk: STRING }),
  UpdateExpression: v.optional(v.string(), ''),
  ExpressionAttributeValues: v.optional(
    v.object({ ':spent': v.optional(STRING), ':refresh_token_hash': v.optional(STRING) }),
    {},
  ),
})

interface TableRequest {
  joint: Exclude<Joint, 'intuit'>
  companyKey: string
  /** In a store: the hash of the used token, and of its successor. */
  usedTokenHash: string | undefined
  successorHash: string | undefined
}

const findJoint = (update: string): TableRequest['joint'] => {
  if (update === '') return 'read'
  if (update.includes('failure_code =')) return 'fail'
  if (update.includes('refresh_token_hash =')) return 'store'
  return update.includes('lease_owner =') ? 'claim' : 'release'
}

/** The purpose of a request to the table. `undefined` if it is not part of a refresh. */
export const tableRequest = ({ body }: SeenRequest): TableRequest | undefined => {
  const request = v.safeParse(REQUEST, body)
  if (!request.success) return undefined
  const { Key, UpdateExpression, ExpressionAttributeValues: values } = request.output
  return {
    joint: findJoint(UpdateExpression),
    companyKey: Key.pk.S.replace('connection#', ''),
    usedTokenHash: values[':spent']?.S,
    successorHash: values[':refresh_token_hash']?.S,
  }
}
