/** Globals of Node that Workers lack. In a bundle they come from a polyfill. */
const NODE_GLOBALS = /\b(?:Buffer\.from|process\.(?:env|nextTick|versions)|__dirname|setImmediate)\b/

const findImports = (script: string) =>
  [...script.matchAll(/(?<![.\w$])(?:from|import\s*\(?)\s*["']([@\w][@\w./:-]*)["']/g)].map(([, name = '']) => name)

/** The modules and globals of Node that a bundle uses. */
export const findNodeTraces = (script: string): string[] => [
  ...findImports(script).filter((name) => !name.startsWith('cloudflare:')),
  ...(NODE_GLOBALS.exec(script) ?? []),
]
