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
