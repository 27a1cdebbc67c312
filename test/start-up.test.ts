import { describe, expect, it, vi } from 'vitest'
import { createApp } from '../src/app.ts'

vi.mock('cloudflare:workers', () => ({ WorkerEntrypoint: class {}, DurableObject: class {} }))
vi.mock('valibot', async (original) => {
  const refuse = () => {
    throw new Error('a schema was made')
  }
  return Object.fromEntries(Object.keys(await original<object>()).map((name) => [name, refuse]))
})

/** Types of workerd are not to be had here: what is imported is looked at. */
interface Handler {
  fetch(request: Request, env: object, context: object): Promise<Response>
}
const isHandler = (value: unknown): value is Handler =>
  typeof value === 'object' && value !== null && 'fetch' in value && typeof value.fetch === 'function'

const loadWorker = async (): Promise<Handler> => {
  const path = '../src/worker.ts'
  const loaded: { default: unknown } = await import(path)
  if (!isHandler(loaded.default)) throw new Error('The Worker has no handler.')
  return loaded.default
}

const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }

describe('an isolate', () => {
  it('makes no schema when it is loaded, nor for /health', async () => {
    const faults = vi.spyOn(console, 'error').mockReturnValue()
    vi.spyOn(console, 'log').mockReturnValue()
    const worker = await loadWorker()
    const fetched = (path: string) => worker.fetch(new Request(`http://localhost${path}`), {}, context)
    expect((await fetched('/health')).status).toBe(200)
    expect(faults).not.toHaveBeenCalled()
    // The first that needs one.
    expect((await fetched('/api/token/beach')).status).toBe(500)
    expect(faults).toHaveBeenCalledOnce()
  })

  it('makes the routes of people and operators when they are first asked for', async () => {
    const made: string[] = []
    const make = (part: string) => () => {
      made.push(part)
      throw new Error(`no ${part}`)
    }
    const free = async () => undefined
    const app = createApp({
      ...{ broker: make('broker'), fleet: make('fleet'), ready: make('ready'), now: () => 0 },
      ...{ origin: () => '', queryKeysAllowed: () => true, successRedirectUrl: () => undefined },
      cursors: { encrypt: async () => '', decrypt: free },
      identifyClient: async () => ({ apiClient: undefined }),
      rateLimiters: { start: free, companyStart: free, callback: free, failedKey: free, forcedRefresh: free },
      ...{ logRequest: () => undefined, reportFault: () => undefined },
    })
    const fetched = async (path: string) => (await app.fetch(new Request(`http://localhost${path}`), context)).status
    expect(await fetched('/health')).toBe(200)
    expect(await fetched('/api/token')).toBe(401)
    expect(await fetched('/api/token/beach')).toBe(401)
    expect(await fetched('/api/token/beach/refresh')).toBe(401)
    expect(made).toEqual([])
    await expect(fetched('/oauth/start/beach')).rejects.toThrow('no broker')
    expect(made).toEqual(['broker'])
  })
})
