import { type ParseArgsConfig, parseArgs } from 'node:util'

const printHelp = (help: string) => {
  process.stdout.write(`${help.trim()}\n`)
  process.exit(0)
}

/** For commands without arguments. Prints `help` for `--help`, and ends with a message for any other argument. */
export const takeNoArguments = (help: string): void => {
  const [first] = process.argv.slice(2)
  if (first === undefined) return
  if (first === '--help' || first === '-h') printHelp(help)
  fail(`Unknown argument ${first}. See --help.`)
}

type Options = NonNullable<ParseArgsConfig['options']>
type Token = { kind: string; name?: string; value?: string | undefined }

/** Finds faults that `parseArgs` accepts: an option that is given twice, and an empty value. */
const findOptionFault = (tokens: Token[]): string | undefined => {
  const given = tokens.flatMap(({ kind, name, value }) => (kind === 'option' && name ? [{ name, value }] : []))
  const twice = given.find(({ name }, index) => given.findIndex((other) => other.name === name) < index)
  if (twice) return `--${twice.name} is given twice`
  const empty = given.find(({ value }) => value?.trim() === '')
  return empty && `--${empty.name} has an empty value`
}

/**
 * Parses the options of a command. Prints `help` for `--help`. Ends with a message for an unknown argument, an option without
 * its value and one that is given twice.
 */
export const takeOptions = <Given extends Options>(help: string, options: Given) => {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) printHelp(help)
  try {
    const { values, tokens } = parseArgs({ args, options, tokens: true })
    const fault = findOptionFault(tokens)
    return fault === undefined ? values : fail(`${fault}. See --help.`)
  } catch (error) {
    const [first] = error instanceof Error ? error.message.split('. ') : []
    return fail(`${first ?? 'Unknown argument'}. See --help.`)
  }
}

/** Ends the command with exit code 1 and a message on stderr. */
export const fail = (message: string): never => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
