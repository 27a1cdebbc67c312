import { describe, expect, it } from 'vitest'
import { createApp } from '../src/app.ts'

const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }

describe('an isolate', () => {
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
