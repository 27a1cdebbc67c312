import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const fromRoot = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const DOCUMENT = fromRoot('docs/performance.md')

export type Cell = string | number

/** A Markdown table in columns, as the formatter of this project leaves it. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly Cell[])[]): string => {
  const cells = [head, ...rows.map((row) => row.map(String))]
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => [...(row[column] ?? '')].length)))
  const line = (row: readonly string[], fill: string) =>
    `| ${widths.map((width, column) => (row[column] ?? '') + fill.repeat(width - [...(row[column] ?? '')].length)).join(' | ')} |`
  const [first = [], ...rest] = cells
  return [line(first, ' '), line([], '-'), ...rest.map((row) => line(row, ' '))].join('\n')
}

/** The text with what stands between `<!-- name -->` and `<!-- /name -->` replaced. Throws where there is no such part. */
export const withPart = (text: string, name: string, content: string): string => {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`docs/performance.md has no part ${name}.`)
  return `${text.slice(0, from + begin.length)}\n${content.trim()}\n${text.slice(to)}`
}

/** Writes the generated parts of `docs/performance.md`, and leaves what people wrote. */
export const writeDocument = async (parts: Record<string, string>): Promise<void> => {
  const text = await readFile(DOCUMENT, 'utf8')
  await writeFile(
    DOCUMENT,
    Object.entries(parts).reduce((written, [name, content]) => withPart(written, name, content), text),
  )
}

export const writeImage = (name: string, svg: string): Promise<void> => writeFile(fromRoot(`docs/images/${name}`), svg)
