import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { rememberingSha256 } from '../../src/crypto/digest.ts'
import { createLru } from '../../src/lib/lru.ts'

describe('what came lately', () => {
  it('is never more than it may be, and never of another text', () => {
    const most = 5
    const text = fc.string({ maxLength: 12 })
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.nat()), { maxLength: 60 }), (given) => {
        const values = createLru<number>(most, 8)
        const last = new Map(given)
        for (const [name, value] of given) values.set(name, value)
        const kept = [...last.keys()].filter((name) => values.get(name) !== undefined)
        expect(kept.length).toBeLessThanOrEqual(most)
        for (const name of kept) expect(name.length).toBeLessThanOrEqual(8)
        for (const name of kept) expect(values.get(name)).toBe(last.get(name))
      }),
    )
  })

  it('forgets nothing for a text that it knows', () => {
    const values = createLru<number>(2, 10)
    for (const [index, text] of ['a', 'b', 'b'].entries()) values.set(text, index)
    expect(['a', 'b'].map(values.get)).toEqual([0, 2])
  })

  it('keeps the last one, even where it was one too many', () => {
    const values = createLru<number>(2, 10)
    for (const [index, text] of ['a', 'b', 'c'].entries()) values.set(text, index)
    expect(['a', 'b', 'c'].map(values.get)).toEqual([undefined, undefined, 2])
  })
})

describe('digests', () => {
  const digesting = vi.spyOn(crypto.subtle, 'digest')
  afterEach(() => digesting.mockClear())

  it('are SHA-256 whenever they are asked for, and made once for a text that comes again', async () => {
    const sha256 = rememberingSha256(10)
    const texts = ['', 'a', 'b', 'Beyoncé', 'x'.repeat(400)]
    for (let time = 0; time < 3; time++) {
      for (const text of texts) {
        expect(Buffer.from(await sha256(text)).toString('hex')).toBe(createHash('sha256').update(text).digest('hex'))
      }
    }
    expect(digesting).toHaveBeenCalledTimes(texts.length)
  })

  it('of texts as long as those with tokens in them are not kept', async () => {
    const sha256 = rememberingSha256(10)
    for (let time = 0; time < 3; time++) await sha256('x'.repeat(401))
    expect(digesting).toHaveBeenCalledTimes(3)
  })

  it('share no promise: each caller who comes before the first answer makes one', async () => {
    const sha256 = rememberingSha256(10)
    await Promise.all([sha256('together'), sha256('together')])
    expect(digesting).toHaveBeenCalledTimes(2)
  })
})
