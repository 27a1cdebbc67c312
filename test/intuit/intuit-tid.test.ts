import { describe, expect, it } from 'vitest'
import { readIntuitTid } from '../../src/intuit/intuit-tid.ts'

const read = (value: string) => readIntuitTid(new Headers({ intuit_tid: value }))

describe('the header intuit_tid', () => {
  it.each(['1-628f0be4-0b7a7b1e5c0e3f1d2a6c9e84', 'gw-f2a31c0e-9c1b-4e8f-9a2f-1d1f4a9f8f11', 'a'.repeat(100)])(
    'is passed on: %s',
    (tid) => {
      expect(read(tid)).toBe(tid)
    },
  )

  it.each(['', ' ', 'a'.repeat(101), 'a'.repeat(60_000), '<script>', 'a b', '{"event":"forged"}', '1-a,1-b'])(
    'is ignored if it is no id: %s',
    (tid) => {
      expect(read(tid)).toBeUndefined()
    },
  )

  it('may be absent', () => {
    expect(readIntuitTid(new Headers())).toBeUndefined()
  })
})
