import { existsSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { fail } from './arguments.ts'
import { readTextFile } from './text-file.ts'

/** Variables by name, as the Worker would find them in its `env`. */
export type Variables = Record<string, string | undefined>

export interface Environment {
  variables: Variables
  /** Where they were read, for the person who runs the command. */
  origin: string
}

const DEFAULT_FILE = '.dev.vars'

/**
 * One source and never a mixture, or credentials of the shell would stand for those of the file unseen: the file that
 * is named, `.dev.vars` where there is one, the process environment otherwise or where it is asked for.
 */
export const readEnvironment = (file: string | undefined, ownEnvironment: boolean): Environment => {
  if (file !== undefined && ownEnvironment) return fail('Give --vars or --env, not both. See --help.')
  if (file !== undefined && !existsSync(file)) return fail(`There is no file ${file}.`)
  const path = file ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined)
  if (ownEnvironment || path === undefined) return { variables: process.env, origin: 'the process environment' }
  try {
    return { variables: parseEnv(readTextFile(path)), origin: path }
  } catch (error) {
    return fail(error instanceof Error ? error.message : `${path} could not be read.`)
  }
}
