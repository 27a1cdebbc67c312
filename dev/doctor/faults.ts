import { readConfig } from '../../src/config.ts'
import { Problem } from '../../src/problem.ts'
import type { Variables } from '../environment.ts'

/** A fault that the Worker itself finds in its configuration, and the variable that it names. */
export interface Fault {
  variable: string
  text: string
}

const detailOf = (read: () => unknown): string | undefined => {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof Problem) return error.message
    throw error
  }
}

/** `The operator has to configure this deployment: API_KEY is missing; …` → each fault by itself. */
const faultsIn = (detail: string): Fault[] =>
  detail
    .replace(/^[^:]*: /, '')
    .replace(/\.$/, '')
    .split('; ')
    .map((text) => ({ variable: text.split(/[ .]/)[0] ?? '', text }))

/** What the Worker's own reading of the configuration finds wrong, part by part, each fault once. */
export const configurationFaults = (variables: Variables): Fault[] => {
  const faults = Object.values(readConfig(variables))
    .map(detailOf)
    .flatMap((detail) => (detail === undefined ? [] : faultsIn(detail)))
  return [...new Map(faults.map((fault) => [fault.text, fault])).values()]
}
