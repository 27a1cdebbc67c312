import * as v from 'valibot'
import { lazy } from '../lib/lazy.ts'
import { Problem } from '../problem.ts'
import { type Env, findTextFault } from './variables.ts'

/** An error in one variable. Contains no value. */
export interface Fault {
  variable: string
  /** The message. Starts with the name of the variable. */
  text: string
}

/**
 * One part of the configuration. Call it for its settings. Throws `configuration_error` with the names of all faulty
 * variables and no values.
 */
export interface Part<Settings = unknown> {
  (): Settings
  faults(): Fault[]
  /** The names of the variables that this part reads. */
  names(): string[]
}

/** An object schema with one entry per variable, possibly followed by checks and a transformation. */
type PartSchema = v.GenericSchema & { entries: Record<string, unknown> }

/** Leaves out the name of an unknown member (`never`): it may be a pasted secret. */
function toFault(issue: v.BaseIssue<unknown>): Fault {
  const path = (issue.path ?? []).map(({ key }) => String(key))
  const place = path.slice(0, issue.expected === 'never' ? -1 : undefined).join('.')
  return { variable: path[0] ?? '', text: `${place} ${issue.input === undefined ? 'is missing' : issue.message}` }
}

/** The first fault of each variable. The later ones usually follow from it. */
function findFirstFaults(faults: Fault[]): Fault[] {
  return [...new Map(faults.toReversed().map((fault) => [fault.variable, fault])).values()].reverse()
}

function findTextFaults(schema: PartSchema, variables: Env): Fault[] {
  return Object.keys(schema.entries).flatMap((variable) => {
    const fault = findTextFault(variables[variable])
    return fault === undefined ? [] : [{ variable, text: `${variable} ${fault}` }]
  })
}

function parse<Schema extends PartSchema>(schema: Schema, variables: Env) {
  const result = v.safeParse(schema, variables)
  const faults = findFirstFaults([...findTextFaults(schema, variables), ...(result.issues ?? []).map(toFault)])
  return result.success && faults.length === 0 ? { settings: result.output } : { faults }
}

/** The error that lists faults. */
export function createConfigurationError(faults: readonly Fault[]): Problem {
  const texts = new Set(faults.map(({ text }) => text))
  return new Problem('configuration_error', `The operator has to configure this deployment: ${[...texts].join('; ')}.`)
}

/** Creates a part that is parsed at its first use. A valid part is parsed once. */
export function createPart<Schema extends PartSchema>(schema: Schema, variables: Env): Part<v.InferOutput<Schema>> {
  const read = lazy(() => {
    const parsed = parse(schema, variables)
    if ('faults' in parsed) throw createConfigurationError(parsed.faults)
    return parsed.settings
  })
  return Object.assign(() => read(), {
    faults: () => {
      const parsed = parse(schema, variables)
      return 'faults' in parsed ? parsed.faults : []
    },
    names: () => Object.keys(schema.entries),
  })
}

/** Throws one `configuration_error` with the faults of all the parts. Cheap for parts that were parsed before. */
export function requireSettings(parts: readonly Part[]): void {
  const faults = parts.flatMap((part) => {
    try {
      part()
      return []
    } catch {
      return part.faults()
    }
  })
  if (faults.length > 0) throw createConfigurationError(faults)
}
