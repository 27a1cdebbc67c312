import { consent } from '../../dev/intuit/client.ts'
import type { Service } from './worker-harness.ts'

/** A browser with a cookie jar, which follows a consent to Intuit and back. */
export const createBrowser = (service: Pick<Service, 'fetch'>) => {
  const jar = new Map<string, string>()

  const storeCookies = (answer: Response) => {
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = '', attributes = ''] = /^([^=]+)=([^;]*)(.*)$/.exec(cookie) ?? []
      if (/; Max-Age=0\b/.test(attributes)) jar.delete(name)
      else jar.set(name, value)
    }
  }

  const open = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers)
    if (jar.size > 0) headers.set('Cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
    const answer = await service.fetch(path, { ...init, headers })
    storeCookies(answer)
    return answer
  }

  /** Opens a start link and grants access at Intuit. Returns the path and query of the callback. */
  const consented = async (startPath: string, realmId?: string) => {
    const started = await open(startPath)
    const location = started.headers.get('Location')
    if (!location) throw new Error(`Start answered ${started.status}.`)
    const back = new URL(await consent(location, realmId === undefined ? {} : { realmId }))
    return `${back.pathname}${back.search}`
  }

  return {
    jar,
    open,
    consented,
    connect: async (startPath: string, realmId?: string) => open(await consented(startPath, realmId)),
  }
}
