import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const SRC = fileURLToPath(new URL('../src', import.meta.url))

const imports = (file: string) =>
  [...readFileSync(join(SRC, file), 'utf8').matchAll(/^(import|export) (type )?[^'"]*from '([^']+)'/gm)].map(
    ([, , type, target = '']) => ({
      file,
      isType: type !== undefined,
      target: target.startsWith('.') ? relative(SRC, normalize(join(SRC, dirname(file), target))) : target,
    }),
  )

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const all = files.flatMap(imports)
const inside = (folder: string) => all.filter(({ file }) => file.startsWith(`${folder}/`))

/** What a folder may import besides itself and packages. */
const MAY_IMPORT: Record<string, RegExp> = {
  lib: /^$/,
  broker: /^(lib\/|problem\.ts$)/,
  fleet: /^(broker\/|problem\.ts$)/,
  http: /^(broker\/|problem\.ts$)/,
  middleware: /^(broker\/|http\/|lib\/|problem\.ts$)/,
  routes: /^(broker\/|fleet\/|http\/|middleware\/|pages\/|problem\.ts$|readiness\.ts$|\.\.\/client\/)/,
  pages: /^(broker\/|http\/|crypto\/(digest|bytes)\.ts$|problem\.ts$)/,
  storage: /^(broker\/|fleet\/|crypto\/|lib\/|problem\.ts$|config\/)/,
  intuit: /^(broker\/|crypto\/|problem\.ts$|config\/)/,
  alerts: /^(broker\/|fleet\/|crypto\/)/,
  crypto: /^(broker\/|problem\.ts$|lib\/)/,
  config: /^(broker\/|crypto\/bytes\.ts$|lib\/|problem\.ts$)/,
}

describe('the imports of src/', () => {
  it.each(Object.entries(MAY_IMPORT))('follow the layers: %s', (folder, allowed) => {
    const local = inside(folder).filter(({ target }) => target.endsWith('.ts') && !target.startsWith(`${folder}/`))
    expect(local.filter(({ target }) => !allowed.test(target))).toEqual([])
  })

  it('import only types of the configuration, except where the service is composed', () => {
    const values = all.filter(
      ({ target, isType, file }) =>
        target === 'config/config.ts' && !isType && !['composition.ts', 'readiness.ts'].includes(file),
    )
    expect(values).toEqual([])
  })

  it('import only types of the AWS SDK, and nothing of Node or dev/', () => {
    expect(all.filter(({ target, isType }) => target.startsWith('@aws-sdk/') && !isType)).toEqual([])
    expect(all.filter(({ target }) => target.startsWith('node:') || target.includes('dev/'))).toEqual([])
  })

  it('leave `env` to the modules that compose the service', () => {
    const others = files.filter((file) => !file.startsWith('config/'))
    const readers = others.filter((file) => /\benv\b/.test(readFileSync(join(SRC, file), 'utf8')))
    expect(readers.sort()).toEqual(['composition.ts', 'cron.ts', 'runtime.ts', 'worker.ts'])
  })
})
