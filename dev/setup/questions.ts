import { isIP } from 'node:net'
import { readConfig } from '../../src/config/config.ts'
import type { Fault } from '../../src/config/part.ts'
import { isLoopback } from '../../src/lib/loopback.ts'

/** One value that the operator has to give. */
export interface Question {
  /** The option of the command. */
  option: string
  /** The variable that it sets. In the environment of the command, it answers the question. */
  variable: string
  question: string
  isSecret?: true
  /** Absent: the value is required. */
  isOptional?: true
  /** Converts the answer to the value of the variable. Throws an error whose message describes the fault. */
  parse?(answer: string): string
}

/** Converts a public host name to the redirect URI. Throws for any other text. */
export const toRedirectUri = (host: string): string => {
  const name = host.toLowerCase()
  if (isLoopback(name)) throw new Error('is this machine. To run the service here, use npm start')
  if (isIP(name.replaceAll(/[[\]]/g, ''))) throw new Error('is an IP address. Intuit accepts only host names')
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
  if (!new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})+$`).test(name)) {
    throw new Error('must be a host name such as broker.example.com, without https://, port and path')
  }
  return `https://${name}/oauth/callback`
}

/** The questions in their order. */
export const QUESTIONS: readonly Question[] = [
  {
    option: 'host',
    variable: 'QUICKBOOKS_REDIRECT_URI',
    question: 'Host of the service, such as broker.example.com',
    parse: toRedirectUri,
  },
  { option: 'region', variable: 'AWS_REGION', question: 'AWS region of the table, such as us-east-1' },
  { option: 'table', variable: 'DYNAMODB_TABLE', question: 'Name of the table' },
  { option: 'access-key-id', variable: 'AWS_ACCESS_KEY_ID', question: "Access key id of the Worker's AWS user" },
  {
    option: 'secret-access-key',
    variable: 'AWS_SECRET_ACCESS_KEY',
    question: 'Its secret access key',
    isSecret: true,
  },
  {
    option: 'client-id',
    variable: 'QUICKBOOKS_CLIENT_ID',
    question: "Client id of the app's production keys (Enter: none)",
    isOptional: true,
  },
  {
    option: 'client-secret',
    variable: 'QUICKBOOKS_CLIENT_SECRET',
    question: 'Client secret of the production keys (Enter: none)',
    isSecret: true,
    isOptional: true,
  },
  {
    option: 'sandbox-client-id',
    variable: 'QUICKBOOKS_SANDBOX_CLIENT_ID',
    question: "Client id of the app's development keys (Enter: none)",
    isOptional: true,
  },
  {
    option: 'sandbox-client-secret',
    variable: 'QUICKBOOKS_SANDBOX_CLIENT_SECRET',
    question: 'Client secret of the development keys (Enter: none)',
    isSecret: true,
    isOptional: true,
  },
]

/** A client id and its secret are valid only together. */
const EXAMPLES = {
  QUICKBOOKS_CLIENT_ID: 'id',
  QUICKBOOKS_CLIENT_SECRET: 'secret',
  QUICKBOOKS_SANDBOX_CLIENT_ID: 'id',
  QUICKBOOKS_SANDBOX_CLIENT_SECRET: 'secret',
}

/** Finds the Worker's fault with a value. `undefined`: the value is valid. */
export const findVariableFault = (variable: string, value: string): string | undefined => {
  const parts = Object.values(readConfig({ ...EXAMPLES, [variable]: value })).filter((part) =>
    part.names().includes(variable),
  )
  const faults = parts.flatMap((part): Fault[] => part.faults())
  return faults.find((fault) => fault.variable === variable)?.text
}

/** Parses an answer. Throws an error whose message names the option and never shows the value. */
export const parseAnswer = ({ option, variable, parse }: Question, answer: string): string => {
  try {
    const value = parse ? parse(answer.trim()) : answer.trim()
    const fault = findVariableFault(variable, value)
    if (fault) throw new Error(fault.replace(`${variable} `, ''))
    return value
  } catch (error) {
    throw new Error(`--${option} ${error instanceof Error ? error.message : 'is not valid'}.`)
  }
}
