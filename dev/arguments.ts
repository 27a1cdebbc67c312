import { type ParseArgsConfig, parseArgs } from 'node:util'

const printHelp = (help: string) => {
  process.stdout.write(`${help.trim()}\n`)
  process.exit(0)
}

/** Prints `help` and ends for `--help`; ends with a message for any argument, as these commands take none. */
export const takeNoArguments = (help: string): void => {
  const [first] = process.argv.slice(2)
  if (first === undefined) return
  if (first === '--help' || first === '-h') printHelp(help)
  fail(`Unknown argument ${first}. See --help.`)
}

/** The options of a command. Prints `help` and ends for `--help`; ends with a message for an argument that it does not know. */
export const takeOptions = <Options extends NonNullable<ParseArgsConfig['options']>>(
  help: string,
  options: Options,
) => {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) printHelp(help)
  try {
    return parseArgs({ args, options }).values
  } catch (error) {
    const [first] = error instanceof Error ? error.message.split('. ') : []
    return fail(`${first ?? 'Unknown argument'}. See --help.`)
  }
}

/** Ends a command with one line for the person who ran it. */
export const fail = (message: string): never => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
