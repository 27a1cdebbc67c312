import { type Answer, json, type Operation } from '../operation.ts'

export const HEALTH_OPERATIONS: Operation[] = [
  {
    ...{ path: '/health', method: 'get', id: 'getHealth', tag: 'Health' },
    summary: 'Check that the service is up',
    description:
      'Returns a simple health payload for load balancers, uptime checks, and deployment verification. ' +
      'It needs no API key and does not read DynamoDB.',
    parameters: [],
    answers: { 200: json('The service is up and responding.', 'Health', { status: 'ok' }) },
    problems: ['method_not_allowed'],
    isOpen: true,
  },
]

const NOT_READY: Answer = json(
  'Something is missing or wrong. With a valid API key, `faults` lists the causes. The log always does.',
  'NotReady',
  { status: 'not_ready', faults: ['DYNAMODB_TABLE is missing.'] },
  ['Retry-After'],
)

export const READY_OPERATIONS: Operation[] = [
  {
    ...{ path: '/ready', method: 'get', id: 'getReadiness', tag: 'Operators' },
    summary: 'Check that the service is ready',
    description:
      'Checks the whole configuration, and reads DynamoDB once. The result is cached for ten seconds. It needs no API key, ' +
      'but refuses a wrong one in `X-API-Key`.',
    parameters: [],
    answers: { 200: json('The service is ready.', 'Ready', { status: 'ready' }), 503: NOT_READY },
    problems: ['invalid_request', 'invalid_api_key', 'method_not_allowed', 'rate_limited', 'configuration_error'],
    isKeyOptional: true,
  },
]
