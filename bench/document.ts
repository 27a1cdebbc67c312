import { readFile, writeFile } from 'node:fs/promises'
import { fromRoot } from '../dev/bundle.ts'

const DOCUMENT = fromRoot('docs/performance.md')

/** A Markdown table with aligned columns. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const cells = [head, ...rows]
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => [...(row[column] ?? '')].length)))
  const line = (row: readonly string[], fill: string) =>
    `| ${widths.map((width, column) => (row[column] ?? '') + fill.repeat(width - [...(row[column] ?? '')].length)).join(' | ')} |`
  const [first = [], ...rest] = cells
  return [line(first, ' '), line([], '-'), ...rest.map((row) => line(row, ' '))].join('\n')
}

/** Replaces the text between `<!-- name -->` and `<!-- /name -->`. Throws if the text has no such part. */
const replacePart = (text: string, name: string, content: string): string => {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`docs/performance.md has no part ${name}.`)
  return `${text.slice(0, from + begin.length)}\n${content.trim()}\n${text.slice(to)}`
}

/** Writes the generated parts of `docs/performance.md` and leaves the rest unchanged. */
export const writeDocument = async (parts: Record<string, string>): Promise<void> => {
  const text = await readFile(DOCUMENT, 'utf8')
  await writeFile(
    DOCUMENT,
    Object.entries(parts).reduce((written, [name, content]) => replacePart(written, name, content), text),
  )
}
