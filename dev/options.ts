import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { fail } from './arguments.ts'

const unknownArgument = (options: ParseArgsOptionsConfig) => {
  const args = process.argv.slice(2)
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true })
  const strange = tokens.find(
    (token) => token.kind === 'positional' || (token.kind === 'option' && !(token.name in options)),
  )
  if (strange?.kind === 'option') return strange.rawName
  return strange?.kind === 'positional' ? strange.value : undefined
}

/**
 * The options of a command. Prints `help` and ends for `--help`; ends with a message for an argument that the command
 * does not take or an option without its value.
 */
export const takeOptions = <Options extends ParseArgsOptionsConfig>(help: string, options: Options) => {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    process.stdout.write(`${help.trim()}\n`)
    process.exit(0)
  }
  const unknown = unknownArgument(options)
  if (unknown !== undefined) return fail(`Unknown argument ${unknown}. See --help.`)
  try {
    return parseArgs({ options }).values
  } catch {
    return fail('An option lacks its value, or has one that it does not take. See --help.')
  }
}
