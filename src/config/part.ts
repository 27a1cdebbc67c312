import * as v from 'valibot'
import { lazy } from '../lib/lazy.ts'
import { Problem } from '../problem.ts'
import { type Env, textFault } from './variables.ts'

/** One thing that is wrong with one variable. Shows no value. */
export interface Fault {
  variable: string
  /** Begins with the variable's name. */
  text: string
}

/** Some of the settings. Calling it throws `configuration_error`, naming all its faulty variables and no value. */
export interface Part<Settings = unknown> {
  (): Settings
  faults(): Fault[]
  /** The variables that it reads. */
  names(): string[]
}

/** A schema of an object with a member for each variable, perhaps with checks and a transformation after it. */
type PartSchema = v.GenericSchema & { entries: Record<string, unknown> }

/** A member that no schema knows is not named: it may be anything that was pasted. */
function toFault(issue: v.BaseIssue<unknown>): Fault {
  const path = (issue.path ?? []).map(({ key }) => String(key))
  const place = path.slice(0, issue.expected === 'never' ? -1 : undefined).join('.')
  return { variable: path[0] ?? '', text: `${place} ${issue.input === undefined ? 'is missing' : issue.message}` }
}

/** A variable of which nothing else is said: the first fault of each is what the others follow from. */
function firstOfEach(faults: Fault[]): Fault[] {
  return [...new Map(faults.toReversed().map((fault) => [fault.variable, fault])).values()].reverse()
}

function textFaults(schema: PartSchema, variables: Env): Fault[] {
  return Object.keys(schema.entries).flatMap((variable) => {
    const fault = textFault(variables[variable])
    return fault === undefined ? [] : [{ variable, text: `${variable} ${fault}` }]
  })
}

function parse<Schema extends PartSchema>(schema: Schema, variables: Env) {
  const result = v.safeParse(schema, variables)
  const faults = firstOfEach([...textFaults(schema, variables), ...(result.issues ?? []).map(toFault)])
  return result.success && faults.length === 0 ? { settings: result.output } : { faults }
}

export function configurationError(faults: readonly Fault[]): Problem {
  const texts = new Set(faults.map(({ text }) => text))
  return new Problem('configuration_error', `The operator has to configure this deployment: ${[...texts].join('; ')}.`)
}

/** Parses a part of the configuration when it is first read. A valid part is parsed once. */
export function createPart<Schema extends PartSchema>(schema: Schema, variables: Env): Part<v.InferOutput<Schema>> {
  const read = lazy(() => {
    const parsed = parse(schema, variables)
    if ('faults' in parsed) throw configurationError(parsed.faults)
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

/** Throws one `configuration_error` with the faults of all the parts. Costs next to nothing where they were read before. */
export function requireParts(parts: readonly Part[]): void {
  const faults = parts.flatMap((part) => {
    try {
      part()
      return []
    } catch {
      return part.faults()
    }
  })
  if (faults.length > 0) throw configurationError(faults)
}
