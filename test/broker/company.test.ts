import { describe, expect, it } from 'vitest'
import { environmentFor, parseCompanyName } from '../../src/broker/company.ts'

describe('a company name', () => {
  it.each([
    ['a right-to-left override', 'Beach \u202Edneld\u202C', 'Beach dneld'],
    ['an isolate', '\u2066Beach\u2069 Blend', 'Beach Blend'],
    ['marks', '\u200EBeach\u200F Blend\u061C', 'Beach Blend'],
    ['zero-width characters', 'Be\u200Bach\u2060 Bl\uFEFFend', 'Beach Blend'],
    ['nothing invisible', 'Beach Blend', 'Beach Blend'],
    ['a right-to-left script', 'شركة الشاطئ', 'شركة الشاطئ'],
    ['the joiners that names and emoji use', 'می\u200Cخواهم 👩\u200D🌾', 'می\u200Cخواهم 👩\u200D🌾'],
  ])('with %s is stored without what changes the text around it', (_, given, stored) => {
    expect(parseCompanyName(given)).toBe(stored)
  })

  it.each(['\u202E', ' \u200B\u2066 ', '\uFEFF'])('of invisible characters alone counts as absent: %j', (given) => {
    expect(parseCompanyName(given)).toBeUndefined()
  })

  it('cannot hide the word that chooses the sandbox', () => {
    expect(environmentFor('beach', parseCompanyName('Sand\u200Bbox') ?? '')).toBe('sandbox')
  })

  it.each(['a\u0000b', 'a\nb', 'a\u0085b', 'a\uD800b', 'a\uFFFDb'])(
    'with a control character is rejected: %j',
    (given) => {
      expect(() => parseCompanyName(given)).toThrow('no control characters')
    },
  )
})
