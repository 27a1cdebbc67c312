import fc from 'fast-check'
import { ClientSecretBasic } from 'oauth4webapi'
import { describe, expect, it } from 'vitest'
import { createBasicAuthorization } from '../../src/intuit/client-authentication.ts'

/** Id and secret as an authorization server reads them. */
const decoded = (authorization: string | null) => {
  const [id = '', secret = ''] = atob(authorization?.replace('Basic ', '') ?? '').split(':')
  return [id, secret].map((text) => new URLSearchParams(`x=${text}`).get('x'))
}

describe('HTTP Basic', () => {
  it('equals another implementation of RFC 6749, for any id and secret', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(text, text, async (clientId, clientSecret) => {
        const headers = new Headers()
        const server = { issuer: 'https://intuit.example' }
        await ClientSecretBasic(clientSecret)(server, { client_id: clientId }, new URLSearchParams(), headers)
        const ours = decoded(createBasicAuthorization({ clientId, clientSecret }))
        expect(ours).toEqual([clientId, clientSecret])
        expect(ours).toEqual(decoded(headers.get('Authorization')))
      }),
    )
  })

  it('does not escape the characters of Intuit’s ids and secrets', () => {
    const pair = { clientId: 'ABcd1234', clientSecret: 'a-b_c.d*e' }
    expect(atob(createBasicAuthorization(pair).replace('Basic ', ''))).toBe('ABcd1234:a-b_c.d*e')
  })
})
