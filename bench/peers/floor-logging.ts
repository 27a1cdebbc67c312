import floor from './floor.ts'

// The floor with the log line that this service writes for each request: what the first one costs an isolate is workerd's.

const LINE = JSON.stringify({ event: 'request', route: '/health', method: 'GET', status: 200, ms: 0, outcome: 'ok' })

export default {
  fetch: (...request: Parameters<typeof floor.fetch>) => {
    console.log(LINE)
    return floor.fetch(...request)
  },
}
