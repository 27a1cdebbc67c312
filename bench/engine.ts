import { startDynamoDb } from '../dev/dynamodb.ts'
import { serveParent } from './child.ts'

// The engine in a process of its own, so that its CPU time counts for none of the programs.
serveParent({ url: (await startDynamoDb()).url })
