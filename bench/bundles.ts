/** What Node has and Workers do not: names that only a polyfill would bring into a bundle. */
const NODE_GLOBALS = /\b(?:Buffer\.from|process\.(?:env|nextTick|versions)|__dirname|setImmediate)\b/

const importedNames = (script: string) =>
  [...script.matchAll(/(?<![.\w$])(?:from|import\s*\(?)\s*["']([@\w][@\w./:-]*)["']/g)].map(([, name = '']) => name)

/** Everything of Node in a bundle: modules that it imports, and globals that it leans on. */
export const nodeTraces = (script: string): string[] => [
  ...importedNames(script).filter((name) => !name.startsWith('cloudflare:')),
  ...(NODE_GLOBALS.exec(script) ?? []),
]
