import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8')

const ROW = /^\| (\d+) \| (.+?) \| `(test\/[\w./-]+)` (.+) \|$/gm
const rows = [...read('SECURITY.md').matchAll(ROW)].map(([, number, attack = '', file = '', title = '']) => ({
  number: Number(number),
  attack,
  file,
  title,
}))
const dependencies: unknown = JSON.parse(read('package.json')).dependencies

describe('SECURITY.md', () => {
  it('lists at least eighty attacks, numbered without a gap', () => {
    expect(rows.length).toBeGreaterThanOrEqual(80)
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, index) => index + 1))
    expect(new Set(rows.map(({ attack }) => attack)).size).toBe(rows.length)
  })

  it.each(rows)('has a test that tries attack $number: $attack', ({ file, title }) => {
    const quoted = [`'${title}'`, `\`${title}\``]
    expect(quoted.some((name) => read(file).includes(name))).toBe(true)
  })

  it('names only tests that exist', () => {
    const named = [...read('SECURITY.md').matchAll(/`(test\/[\w./-]+)`/g)].map(([, file = '']) => file)
    expect(named.filter((file) => !existsSync(fileURLToPath(new URL(`../${file}`, import.meta.url))))).toEqual([])
  })

  it('counts and names the run-time dependencies', () => {
    const names = Object.keys(dependencies ?? {})
    const paragraph = /## Run-time dependencies\n\n(.+)/.exec(read('SECURITY.md'))?.[1] ?? ''
    const said = [...paragraph.matchAll(/`([a-z\d@/.-]+)`/g)].map(([, name]) => name)
    expect(new Set(said)).toEqual(new Set(names))
    expect(paragraph.split(',')[0]).toBe(['Two', 'Three', 'Four', 'Five', 'Six', 'Seven'][names.length - 2])
  })
})
