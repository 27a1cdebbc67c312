import { SyntaxKind } from 'typescript/unstable/ast'
import { createScanner } from 'typescript/unstable/ast/scanner'

/** A piece of a source file: an identifier, or text (a comment, a string, a template). `line` counts from 1. */
export type Token = { kind: 'identifier' | 'text'; value: string; line: number }

const TEXT = new Set([
  SyntaxKind.SingleLineCommentTrivia,
  SyntaxKind.MultiLineCommentTrivia,
  SyntaxKind.StringLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateHead,
  SyntaxKind.TemplateMiddle,
  SyntaxKind.TemplateTail,
])
const SPACE = new Set([SyntaxKind.WhitespaceTrivia, SyntaxKind.NewLineTrivia])
/** After one of these a `/` divides. Elsewhere it starts a regular expression. */
const OPERANDS = new Set([
  SyntaxKind.Identifier,
  SyntaxKind.NumericLiteral,
  SyntaxKind.CloseParenToken,
  SyntaxKind.CloseBracketToken,
])

/** Finds the identifiers and texts of TypeScript or JavaScript, in order. Scans without parsing. */
export const scanCode = (source: string): Token[] => {
  const scanner = createScanner(false, undefined, source)
  const tokens: Token[] = []
  /** One entry for each open brace: whether it belongs to a template. */
  const braces: boolean[] = []
  let line = 1
  let counted = 0
  let previous: SyntaxKind = SyntaxKind.Unknown

  const add = (kind: Token['kind']) => {
    const start = scanner.getTokenStart()
    line += source.slice(counted, start).split('\n').length - 1
    counted = start
    tokens.push({ kind, value: source.slice(start, scanner.getTokenEnd()), line })
  }

  for (let kind = scanner.scan(); kind !== SyntaxKind.EndOfFile; kind = scanner.scan()) {
    if (kind === SyntaxKind.SlashToken && !OPERANDS.has(previous)) kind = scanner.reScanSlashToken()
    if (kind === SyntaxKind.OpenBraceToken) braces.push(false)
    if (kind === SyntaxKind.CloseBraceToken && braces.pop()) kind = scanner.reScanTemplateToken(false)
    if (kind === SyntaxKind.TemplateHead || kind === SyntaxKind.TemplateMiddle) braces.push(true)
    if (kind === SyntaxKind.Identifier) add('identifier')
    if (TEXT.has(kind)) add('text')
    if (!SPACE.has(kind)) previous = kind
  }
  return tokens
}
