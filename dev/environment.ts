import { existsSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { fail } from './arguments.ts'
import { readTextFile } from './text-file.ts'

/** Variables by name, as in the Worker's `env`. */
export type Variables = Record<string, string | undefined>

/** Variables and their source. */
export interface Environment {
  variables: Variables
  /** The source, for the person who runs the command. */
  origin: string
}

const DEFAULT_FILE = '.dev.vars'

/**
 * Reads variables from one source: the given file, or `.dev.vars` if it exists, or else the process environment. Sources are
 * never mixed, because credentials of the shell could replace those of the file unnoticed. Ends the command on an error.
 */
export const readEnvironment = (file: string | undefined, useProcessEnvironment: boolean): Environment => {
  if (file !== undefined && useProcessEnvironment) return fail('Give --vars or --env, not both. See --help.')
  if (file !== undefined && !existsSync(file)) return fail(`There is no file ${file}.`)
  const path = file ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined)
  if (useProcessEnvironment || path === undefined) return { variables: process.env, origin: 'the process environment' }
  try {
    return { variables: parseEnv(readTextFile(path)), origin: path }
  } catch (error) {
    return fail(error instanceof Error ? error.message : `${path} could not be read.`)
  }
}
