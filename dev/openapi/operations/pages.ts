import { type Answer, HTML, type Operation } from '../operation.ts'

const PAGE: Answer = { description: 'The page.', headers: [], content: HTML }

const page = (path: string, id: string, summary: string, description: string): Operation => ({
  ...{ path, method: 'get', id, tag: 'Pages', summary, description, parameters: [] },
  answers: { 200: PAGE },
  problems: ['method_not_allowed'],
  open: true,
})

export const PAGE_OPERATIONS: Operation[] = [
  page('/oauth/connected', 'showConnected', 'What follows a success', 'The company that this browser connected last.'),
  page('/oauth/failed', 'showFailed', 'What follows a failure', 'What this browser met last, and what to do.'),
  page(
    '/intuit/disconnected',
    'showDisconnected',
    'The app’s Disconnect URL at Intuit',
    'Where Intuit sends a person who disconnected the app inside QuickBooks. The answer is the same whatever `realmId` ' +
      'it names.',
  ),
  page(
    '/intuit/reconnect',
    'showReconnect',
    'The app’s Reconnect URL at Intuit',
    'Where Intuit sends a person whose permission has ended. The answer is the same whatever `realmId` it names.',
  ),
]
