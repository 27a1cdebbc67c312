import { type Answer, json, type Operation } from '../operation.ts'

export const HEALTH_OPERATIONS: Operation[] = [
  {
    ...{ path: '/health', method: 'get', id: 'getHealth', tag: 'Health' },
    summary: 'Is the service up?',
    description:
      'Returns a simple health payload for load balancers, uptime checks, and deployment verification. ' +
      'It asks neither for a key nor the table.',
    parameters: [],
    answers: { 200: json('The service is up and responding.', 'Health', { status: 'ok' }) },
    problems: ['method_not_allowed'],
    open: true,
  },
]

const NOT_READY: Answer = json(
  'Something is missing. A holder of a key is told what, and so is the log.',
  'NotReady',
  { status: 'not_ready', faults: ['DYNAMODB_TABLE is missing.'] },
  ['Retry-After'],
)

export const READY_OPERATIONS: Operation[] = [
  {
    ...{ path: '/ready', method: 'get', id: 'getReadiness', tag: 'Operators' },
    summary: 'Is all there that the service needs?',
    description:
      'Judges the whole configuration, and the table by one read; good for ten seconds. It asks for no key, but refuses ' +
      'a wrong one in `X-API-Key`.',
    parameters: [],
    answers: { 200: json('All is there.', 'Ready', { status: 'ready' }), 503: NOT_READY },
    problems: ['invalid_request', 'invalid_api_key', 'method_not_allowed', 'rate_limited', 'configuration_error'],
    keyIsOptional: true,
  },
]
