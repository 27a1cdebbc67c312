import { type Answer, HTML, type Operation } from '../operation.ts'

const PAGE: Answer = { description: 'The page.', headers: [], content: HTML }

const page = (path: string, id: string, summary: string, description: string): Operation => ({
  ...{ path, method: 'get', id, tag: 'Pages', summary, description, parameters: [] },
  answers: { 200: PAGE },
  problems: ['method_not_allowed'],
  isOpen: true,
})

export const PAGE_OPERATIONS: Operation[] = [
  page(
    '/oauth/connected',
    'showConnected',
    'Page after a success',
    'Shows the company that this browser connected last.',
  ),
  page(
    '/oauth/failed',
    'showFailed',
    'Page after a failure',
    'Shows the last problem in this browser, and what to do.',
  ),
  page(
    '/intuit/disconnected',
    'showDisconnected',
    'The app’s Disconnect URL at Intuit',
    'Intuit sends a person here who disconnected the app in QuickBooks. The response does not depend on `realmId`.',
  ),
  page(
    '/intuit/reconnect',
    'showReconnect',
    'The app’s Reconnect URL at Intuit',
    'Intuit sends a person here whose permission has ended. The response does not depend on `realmId`.',
  ),
]
