import { json, type Operation } from '../operation.ts'

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
