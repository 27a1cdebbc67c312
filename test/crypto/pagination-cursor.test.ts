import { CompactEncrypt } from 'jose'
import { describe, expect, it } from 'vitest'
import { PERMISSIONS } from '../../src/broker/api-client.ts'
import { sha256Hex } from '../../src/crypto/digest.ts'
import { type CursorSettings, createPaginationCursor } from '../../src/crypto/pagination-cursor.ts'

const encryptionKey = (kid: string, byte: number) => ({ kid, bytes: new Uint8Array(32).fill(byte) })
const namedKey = async (name: string) => ({
  ...{ name, may: PERMISSIONS, companies: ['*'], digest: await sha256Hex(name), expiresAt: undefined },
})
const withKeys: CursorSettings = { apiKey: 'shared', keys: [], encryptionKeys: [encryptionKey('a', 1)] }
const withoutKeys: CursorSettings = { apiKey: 'shared', keys: [], encryptionKeys: [] }
const create = (settings: CursorSettings) => createPaginationCursor(() => settings)

describe('a pagination cursor', () => {
  it.each([
    ['the first token encryption key', withKeys],
    ['the API keys where there is no token encryption key', withoutKeys],
  ])('is decrypted by every isolate with %s', async (_, settings) => {
    const cursor = await create(settings).encrypt('place of beach-blend')
    expect(await create(settings).decrypt(cursor)).toBe('place of beach-blend')
    expect(Buffer.from(cursor, 'base64').toString()).not.toContain('beach-blend')
  })

  it('is refused after the first encryption key or the API keys change', async () => {
    const cursor = await create(withKeys).encrypt('place')
    const rotated = { ...withKeys, encryptionKeys: [encryptionKey('b', 2), ...withKeys.encryptionKeys] }
    expect(await create(rotated).decrypt(cursor)).toBeUndefined()
    const other = await create(withoutKeys).encrypt('place')
    expect(await create({ ...withoutKeys, apiKey: 'another' }).decrypt(other)).toBeUndefined()
    expect(await create({ ...withoutKeys, keys: [await namedKey('books')] }).decrypt(other)).toBeUndefined()
  })

  it('is not encrypted with the token encryption key itself', async () => {
    const header = { alg: 'dir', enc: 'A256GCM', typ: 'cursor' }
    const forged = new CompactEncrypt(new TextEncoder().encode('place')).setProtectedHeader(header)
    expect(await create(withKeys).decrypt(await forged.encrypt(new Uint8Array(32).fill(1)))).toBeUndefined()
  })

  it.each(['', 'nope', 'e30..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA', '....', '.'.repeat(100_000)])(
    'is nothing that is made up: %.60s',
    async (cursor) => expect(await create(withKeys).decrypt(cursor)).toBeUndefined(),
  )
})
