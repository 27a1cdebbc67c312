import type { Environment } from '../broker/company.ts'
import type { RealmStore } from '../broker/ports.ts'
import { attributes, text } from './attribute-values.ts'
import type { DynamoDb } from './dynamodb.ts'

/*
 * pk                     S  realm#<environment>#<realm_id>
 * company_key, realm_id  S  the key that it was connected under
 * updated_at             N
 */

function key(environment: Environment, realmId: string) {
  return attributes({ pk: `realm#${environment}#${realmId}` })
}

/** Which key a realm was connected under. */
export function createRealmStore(dynamo: DynamoDb): RealmStore {
  return {
    async holder(environment, realmId) {
      const item = await dynamo.getItem({ Key: key(environment, realmId), ConsistentRead: true })
      return item && text(item, 'company_key')
    },

    async note(environment, realmId, companyKey, now) {
      await dynamo.putItem({
        Item: {
          ...key(environment, realmId),
          ...attributes({ company_key: companyKey, realm_id: realmId, updated_at: now }),
        },
      })
    },

    async forget(environment, realmId, companyKey) {
      await dynamo.deleteItem({
        Key: key(environment, realmId),
        ConditionExpression: 'company_key = :key',
        ExpressionAttributeValues: attributes({ ':key': companyKey }),
      })
    },
  }
}
