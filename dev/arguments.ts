/** Prints `help` and ends for `--help`; ends with a message for any argument, as these commands take none. */
export const takeNoArguments = (help: string): void => {
  const [first] = process.argv.slice(2)
  if (first === undefined) return
  if (first === '--help' || first === '-h') {
    process.stdout.write(`${help.trim()}\n`)
    process.exit(0)
  }
  process.stderr.write(`Unknown argument ${first}. See --help.\n`)
  process.exit(1)
}

/** Ends a command with one line for the person who ran it. */
export const fail = (message: string): never => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
