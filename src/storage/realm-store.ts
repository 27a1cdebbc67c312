import type { Environment } from '../broker/company.ts'
import type { RealmStore } from '../broker/ports/storage.ts'
import { attributes, text } from './attribute-values.ts'
import type { DynamoDb } from './dynamodb.ts'

/* The item `realm#<environment>#<realm_id>`. docs/storage-schema.md describes its attributes. */

function key(environment: Environment, realmId: string) {
  return attributes({ pk: `realm#${environment}#${realmId}` })
}

/** Stores under which company key a realm is connected. */
export function createRealmStore(dynamo: DynamoDb): RealmStore {
  return {
    async findCompanyKey(environment, realmId) {
      const item = await dynamo.getItem({ Key: key(environment, realmId), ConsistentRead: true })
      return item && text(item, 'company_key')
    },

    async record(environment, realmId, companyKey, now) {
      await dynamo.putItem({
        Item: {
          ...key(environment, realmId),
          ...attributes({ company_key: companyKey, realm_id: realmId, updated_at: now }),
        },
      })
    },

    async remove(environment, realmId, companyKey) {
      await dynamo.deleteItem({
        Key: key(environment, realmId),
        ConditionExpression: 'company_key = :key',
        ExpressionAttributeValues: attributes({ ':key': companyKey }),
      })
    },
  }
}
