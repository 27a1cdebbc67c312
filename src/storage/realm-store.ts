import type { Environment } from '../broker/company.ts'
import type { RealmStore } from '../broker/ports/storage.ts'
import { readText, toAttributes } from './attribute-values.ts'
import type { DynamoDb } from './dynamodb.ts'

/* The item `realm#<environment>#<realm_id>`. docs/storage-schema.md describes its attributes. */

function toKey(environment: Environment, realmId: string) {
  return toAttributes({ pk: `realm#${environment}#${realmId}` })
}

/** Stores the company key under which a realm is connected. */
export function createRealmStore(dynamo: DynamoDb): RealmStore {
  return {
    async findCompanyKey(environment, realmId) {
      const item = await dynamo.getItem({ Key: toKey(environment, realmId), ConsistentRead: true })
      return item && readText(item, 'company_key')
    },

    async record(environment, realmId, companyKey, now) {
      await dynamo.putItem({
        Item: {
          ...toKey(environment, realmId),
          ...toAttributes({ company_key: companyKey, realm_id: realmId, updated_at: now }),
        },
      })
    },

    async remove(environment, realmId, companyKey) {
      await dynamo.deleteItem({
        Key: toKey(environment, realmId),
        ConditionExpression: 'company_key = :key',
        ExpressionAttributeValues: toAttributes({ ':key': companyKey }),
      })
    },
  }
}
