import type { Fault, Ordered } from './fault-orders.ts'
import { type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts'

/** An error response of DynamoDB, by its type. */
type EngineError = Pick<Fault, 'operation' | 'when' | 'times'> & { kind: 'error'; status: number; type: string }
/** A fault in front of the engine. */
export type EngineFault = Fault | EngineError

/** The proxy, which also responds with errors of DynamoDB. */
export interface EngineProxy extends Omit<FaultyProxy, 'fault'> {
  fault(fault: EngineFault): Ordered
}

const awsError = (type: string) => JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: type })

/** Starts a faulty proxy in front of a DynamoDB engine. Operations are those of `X-Amz-Target`. */
export const startEngineProxy = async (engineUrl: string): Promise<EngineProxy> => {
  const proxy = await startFaultyProxy<unknown>(engineUrl, {
    read: (headers, text) => ({
      operation: String(headers['x-amz-target']).replace('DynamoDB_20120810.', ''),
      body: JSON.parse(text),
    }),
    contentType: 'application/x-amz-json-1.0',
  })
  return {
    ...proxy,
    fault: (fault) => {
      if (fault.kind !== 'error') return proxy.fault(fault)
      const { type, ...rest } = fault
      return proxy.fault({ ...rest, kind: 'answer', body: awsError(type) })
    },
  }
}
