import { describe, expect, it } from 'vitest'
import { createLinkSigner } from '../../src/crypto/link-signer.ts'
import fixture from './fixtures/stored-values.json' with { type: 'json' }

const keys = fixture.keys.map(({ kid, base64 }) => ({ kid, bytes: new Uint8Array(Buffer.from(base64, 'base64')) }))

describe('a start link that was signed before', () => {
  it.each(fixture.startLinks)('by the key $kid still verifies, and is signed the same way', async (stored) => {
    const { kid, mac, companyKey, companyName, expiresAt } = stored
    const link = { companyKey, companyName: companyName ?? undefined, expiresAt }
    const signer = createLinkSigner(() => keys)
    expect(await signer.verify(link, { kid, mac })).toBe(true)
    expect(await signer.sign(link, kid)).toEqual({ kid, mac })
    expect(await signer.verify({ ...link, expiresAt: expiresAt + 1 }, { kid, mac })).toBe(false)
  })
})

describe('the signature of a start link', () => {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const link = { companyKey: 'beach', companyName: 'Beach', expiresAt: 1_800_000_000 }

  it('has one spelling: others that decode to the same bytes are rejected', async () => {
    const signer = createLinkSigner(() => keys)
    const signature = await signer.sign(link)
    if (!signature) throw new Error('no key')
    const { kid, mac } = signature
    const last = ALPHABET.indexOf(mac.slice(-1))
    const others = [1, 2, 3].map((bits) => mac.slice(0, -1) + ALPHABET.charAt(last ^ bits))
    for (const other of others) {
      expect(Buffer.from(other, 'base64url')).toEqual(Buffer.from(mac, 'base64url'))
      expect(await signer.verify(link, { kid, mac: other })).toBe(false)
    }
    expect(await signer.verify(link, { kid, mac })).toBe(true)
  })
})
