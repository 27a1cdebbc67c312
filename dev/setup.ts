import { fail, takeOptions } from './arguments.ts'
import { askQuestions } from './setup/prompt.ts'
import { parseAnswer, QUESTIONS, type Question } from './setup/questions.ts'
import { addSafeVariables, findFaults, type ProductionVariables } from './setup/safe-variables.ts'
import { createVariablesFile } from './setup/variables-file.ts'

const HELP = `
npm run setup -- [options]
writes the configuration of a deployment, with new keys and every safe choice, to a new file that only you can read.

${QUESTIONS.map(({ option, variable, parse }) => `  --${option.padEnd(22)} ${parse ? 'such as broker.example.com' : `or ${variable} in the environment`}`).join('\n')}
  --${'out'.padEnd(22)} the file to create (default production.vars)

On a terminal, it asks for what is missing. Give secrets there or in the environment: options end up in the history of
your shell. You need the production keys of the app at Intuit, its development keys, or both. An existing file is never
changed. Exit code: 0 if the file was written, else 1.
`

const OPTIONS = Object.fromEntries(
  ['out', ...QUESTIONS.map(({ option }) => option)].map((name) => [name, { type: 'string' as const }]),
)

/** Reads answers from the options and the environment. */
const findAnswers = (options: Record<string, unknown>, environment: NodeJS.ProcessEnv): ProductionVariables =>
  Object.fromEntries(
    QUESTIONS.flatMap((question) => {
      const option = options[question.option]
      if (typeof option === 'string') return [[question.variable, parseAnswer(question, option)]]
      // A host is an option of this command. The redirect URI is its result.
      const given = question.parse ? undefined : environment[question.variable]
      return given ? [[question.variable, parseAnswer(question, given)]] : []
    }),
  )

const listMissing = (questions: readonly Question[]) => questions.map(({ option }) => `--${option}`).join(', ')

const nextSteps = (file: string, origin: string) => `
Created ${file}. Only you can read it, and git ignores it. API_KEY in it is the key for your own programs.
Keep a second copy of TOKEN_ENCRYPTION_KEYS, separate from the table's backups.

Next:
  1. Add ${origin}/oauth/callback to the redirect URIs of the app at Intuit.
  2. npm run doctor -- --vars ${file}
  3. npm run deploy -- --secrets-file ${file}
  4. npm run start-link -- --vars ${file} --company-key beach-blend
     creates a link that connects the first company. When the log shows realm_proven, add REALM_PROOF=required.
`

const setUp = async () => {
  const options = takeOptions(HELP, OPTIONS)
  const file = typeof options['out'] === 'string' ? options['out'] : 'production.vars'
  const given = findAnswers(options, process.env)
  const missing = QUESTIONS.filter(({ variable }) => given[variable] === undefined)
  const required = missing.filter(({ isOptional }) => !isOptional)
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY
  if (!isTerminal && required.length > 0) return fail(`Give ${listMissing(required)}. See --help.`)
  const answers = { ...given, ...(isTerminal ? await askQuestions(missing) : {}) }
  const variables = addSafeVariables(answers, new Date())
  const faults = findFaults(variables)
  if (faults.length > 0) return fail(`Nothing was written: ${faults.join('; ')}.`)
  createVariablesFile(file, variables)
  process.stdout.write(nextSteps(file, new URL(variables['QUICKBOOKS_REDIRECT_URI'] ?? '').origin))
}

setUp().catch((error: unknown) => fail(error instanceof Error ? error.message : 'The setup failed.'))
